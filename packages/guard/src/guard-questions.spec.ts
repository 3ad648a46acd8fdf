import { eventually } from '../test/eventually.js';
import { Guards } from '../test/guards.js';
import { GuardUnavailableError } from './unavailable-error.js';

const guards = Guards.forEachTest();

it('asks once for many that come with the same unknown pair', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  const verdicts = await Promise.all(Array.from({ length: 20 }, async () => guard.check(pair)));
  expect(verdicts.map(({ source }) => source).toSorted()).toEqual([...Array<string>(19).fill('local'), 'remote']);
  expect(guards.service.to('verify')).toHaveLength(1);
});

it('decides for each of them by what it requires', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  const scopes = ['data.pin_list', 'pinning.unpin', 'data.pin_list'];
  const verdicts = await Promise.all(scopes.map(async (scope) => guard.check(pair, { scope })));
  expect(verdicts.map(({ code }) => code)).toEqual(['VALID', 'INSUFFICIENT_SCOPE', 'VALID']);
});

it('asks for each of them if the key has limits, for each is charged', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add({ because: 'max_uses' });
  const verdicts = await Promise.all(Array.from({ length: 20 }, async () => guard.check(pair)));
  expect(verdicts.every(({ source }) => source === 'remote')).toBe(true);
  expect(guards.service.to('verify')).toHaveLength(20);
  expect(guard.stats()).toMatchObject({ keys: 0, notKept: { max_uses: 20 } });
});

it('does not keep a verdict that is older than a change that arrived meanwhile', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  let answer = (): void => undefined;
  guards.service.beforeVerdict = () => new Promise((resolve) => (answer = resolve));
  const asked = guard.check(pair);
  await eventually(() => expect(guards.service.to('verify')).toHaveLength(1));
  guards.service.change(pair.apiKey);
  await eventually(() => expect(guard.stats().changes).toBe(1));
  answer();
  expect(await asked).toMatchObject({ valid: true, source: 'remote' });
  expect(guard.stats()).toMatchObject({ keys: 0, notKept: { changed: 1 } });
});

it('does not keep a verdict of a process that lags behind a change', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  const lagging = String(guards.service.feed.position);
  guards.service.change(pair.apiKey);
  await eventually(() => expect(guard.stats().changes).toBe(1));
  guards.service.verdictPosition = lagging;
  for (let i = 0; i < 2; i++) expect(await guard.check(pair)).toMatchObject({ source: 'remote' });
  guards.service.verdictPosition = undefined;
  await guard.check(pair);
  expect(guard.check(pair)).toMatchObject({ source: 'local' });
});

it('does not keep what it can not read, and gives the verdict', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add({ allowedCidrs: ['nowhere'] });
  expect(await guard.check(pair)).toMatchObject({ valid: true, source: 'remote' });
  expect(guard.stats()).toMatchObject({ keys: 0, notKept: { unreadable: 1 } });
});

it('throws if it can not read the verdict', async () => {
  const guard = await guards.createFresh();
  guards.service.overrides.set('verify', { status: 200, body: '{"data":{"valid":true},"status":"success"}' });
  await expect(guard.check(guards.service.keys.add())).rejects.toThrow(/verdict/);
  expect(guard.stats().decided.unavailable).toBe(1);
});

it('asks again at once over a new connection if the service has closed the one that was kept', async () => {
  const guard = await guards.createFresh();
  const pairs = [guards.service.keys.add(), guards.service.keys.add()];
  await guard.check(pairs[0] as never);
  guards.service.resetKept = 1;
  expect(await guard.check(pairs[1] as never)).toMatchObject({ valid: true });
  expect(guards.service.resetKept).toBe(0);
});

it.each([0, 5])('asks the service for a cost of %s, which reports cannot tell', async (cost) => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  await guard.check(pair);
  const verdicts = [await guard.check(pair), await guard.check(pair, { cost }), await guard.check(pair, { cost: 1 })];
  expect(verdicts.map(({ source }) => source)).toEqual(['local', 'remote', 'local']);
});

it('does not repeat a question whose answer breaks off: the service may have charged the key', async () => {
  const guard = await guards.createFresh();
  const pairs = [guards.service.keys.add(), guards.service.keys.add()];
  await guard.check(pairs[0] as never);
  guards.service.overrides.set('verify', 'break');
  await expect(Promise.resolve(guard.check(pairs[1] as never))).rejects.toThrow(GuardUnavailableError);
  expect(guards.service.to('verify')).toHaveLength(2);
});

it('waits no longer than for any other answer if the service switches protocols', async () => {
  const guard = await guards.createFresh();
  guards.service.overrides.set('verify', { status: 101, headers: { Connection: 'Upgrade', Upgrade: 'x' } });
  await expect(Promise.resolve(guard.check(guards.service.keys.add()))).rejects.toThrow(GuardUnavailableError);
});
