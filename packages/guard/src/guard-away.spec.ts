import { eventually } from '../test/eventually.js';
import { Guards } from '../test/guards.js';
import { type Guard, type GuardState, GuardUnavailableError } from './index.js';

const guards = Guards.forEachTest();

beforeEach(() => {
  guards.service.feed.boundMs = 1_000;
});

function isIn(guard: Guard, state: GuardState): Promise<void> {
  return eventually(() => expect(guard.state).toBe(state));
}

it('gives no verdict, not even on known keys, unless it is allowed to', async () => {
  const guard = await guards.createFresh();
  const pair = guards.service.keys.add();
  await guards.learn(guard, pair);
  await guards.service.stop();
  await isIn(guard, 'away');
  expect(() => guard.check(pair)).toThrow(GuardUnavailableError);
  expect(guard.stats().decided.unavailable).toBe(1);
});

it('accepts known keys, marked as stale, if it is allowed to; never unknown ones', async () => {
  const guard = await guards.createFresh({ staleIfErrorSeconds: 600 });
  const [known, unknown, limited] = [{}, {}, { because: 'rate_limit' }].map((edit) => guards.service.keys.add(edit));
  await guards.learn(guard, known as never);
  await guard.check(limited as never);
  await guards.service.stop();
  await isIn(guard, 'away');
  expect(guard.check(known as never)).toMatchObject({ valid: true, source: 'stale' });
  expect(guard.check(known as never, { scope: 'pinning.unpin' })).toMatchObject({
    code: 'INSUFFICIENT_SCOPE',
    source: 'stale',
  });
  for (const pair of [unknown, limited]) expect(() => guard.check(pair as never)).toThrow(GuardUnavailableError);
});

it('goes on with what it knew when the service is back, though not with what changed', async () => {
  const guard = await guards.createFresh();
  const [kept, changed] = [guards.service.keys.add(), guards.service.keys.add()];
  for (const pair of [kept, changed]) await guards.learn(guard, pair);
  const asked = guards.service.to('verify').length;
  await guards.service.stop();
  guards.service.change(changed.apiKey, { isRevoked: true });
  await isIn(guard, 'away');
  await guards.service.listen();
  await isIn(guard, 'fresh');
  await guards.learn(guard, kept);
  expect(guards.service.to('verify')).toHaveLength(asked);
  expect(await guard.check(changed)).toMatchObject({ code: 'REVOKED', source: 'remote' });
});

it('accepts no key as stale that changed in another epoch', async () => {
  const guard = await guards.createFresh({ staleIfErrorSeconds: 600 });
  const pair = guards.service.keys.add();
  await guards.learn(guard, pair);
  guards.service.feed.epoch = 'epoch-2';
  await eventually(() => expect(guard.stats().forgotten).toBe(1));
  await guards.service.stop();
  await isIn(guard, 'away');
  expect(() => guard.check(pair)).toThrow(GuardUnavailableError);
});

it.each(['hang', 'reset', { status: 502, body: '<html>Bad gateway</html>' }] as const)(
  'notices that the service does not answer: %j',
  async (override) => {
    const guard = await guards.createFresh();
    guards.service.overrides.set('changes', override);
    await isIn(guard, 'away');
    guards.service.overrides.delete('changes');
    await isIn(guard, 'fresh');
    expect(guard.stats().failed).toBeGreaterThan(0);
  },
);

it('is ready when the service was never there, and says so', async () => {
  await guards.service.stop();
  const guard = guards.create();
  await guard.ready();
  expect(guard.state).toBe('away');
  expect(() => guard.check(guards.service.keys.add())).toThrow(GuardUnavailableError);
});

it('gives up on a verdict after half a second', async () => {
  const guard = await guards.createFresh();
  guards.service.overrides.set('verify', 'hang');
  const asked = performance.now();
  await expect(guard.check(guards.service.keys.add())).rejects.toThrow(GuardUnavailableError);
  expect(performance.now() - asked).toBeGreaterThan(450);
});

it('serves a known key stale if the verdict stays away while the guard knows too little', async () => {
  const guard = await guards.createFresh({ staleIfErrorSeconds: 600 });
  const pair = guards.service.keys.add();
  await guards.learn(guard, pair);
  guards.service.feed.ageMs = 5_000;
  await isIn(guard, 'stale');
  guards.service.overrides.set('verify', 'reset');
  expect(await guard.check(pair)).toMatchObject({ valid: true, source: 'stale' });
});
