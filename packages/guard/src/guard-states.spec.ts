import { eventually } from '../test/eventually.js';
import { failure } from '../test/fake-service.js';
import { Guards } from '../test/guards.js';
import { type Guard, type GuardState, GuardUnavailableError } from './index.js';

const guards = Guards.forEachTest();

function isIn(guard: Guard, state: GuardState): Promise<void> {
  return eventually(() => expect(guard.state).toBe(state));
}

describe('cold', () => {
  it('lets the service decide, and keeps nothing', async () => {
    guards.service.overrides.set('changes', { status: 404, body: JSON.stringify(failure('route_not_found', 'm')) });
    const guard = guards.create();
    await guard.ready();
    expect(guard.state).toBe('cold');
    const pair = guards.service.keys.add();
    for (let i = 0; i < 2; i++) expect(await guard.check(pair)).toMatchObject({ valid: true, source: 'remote' });
    expect(guard.stats()).toMatchObject({ keys: 0, ageMs: Infinity });
  });
});

describe('fresh', () => {
  it('asks four times a second if nothing happens, and stays fresh', async () => {
    const states: GuardState[] = [];
    await guards.createFresh({ onState: (state) => states.push(state) });
    const first = guards.service.to('changes').length;
    await eventually(() => expect(guards.service.to('changes').length).toBeGreaterThan(first + 4));
    const asked = guards.service.to('changes').slice(first);
    expect(asked.every(({ query }) => query.get('wait_ms') === '250')).toBe(true);
    expect(Number(asked.at(-1)?.at) - Number(asked[0]?.at)).toBeGreaterThan(900);
    expect(states).toEqual(['fresh']);
  });

  it('follows the position that it was told', async () => {
    const guard = await guards.createFresh();
    const pair = guards.service.keys.add();
    for (let i = 0; i < 3; i++) {
      guards.service.change(pair.apiKey);
      await eventually(() => expect(guard.stats().changes).toBe(i + 1));
    }
    const position = String(guards.service.feed.position);
    await eventually(() => expect(guards.service.to('changes').at(-1)?.query.get('since')).toBe(position));
  });

  it('does not hurry the service that repeats a change until its next poll', async () => {
    const guard = await guards.createFresh();
    guards.service.feed.isStuck = true;
    guards.service.change(guards.service.keys.add().apiKey);
    await eventually(() => expect(guard.stats().changes).toBe(1));
    const before = guards.service.to('changes').length;
    await eventually(() => expect(guards.service.to('changes').length).toBeGreaterThan(before + 5));
    const times = guards.service
      .to('changes')
      .slice(before)
      .map(({ at }) => at);
    expect(Number(times.at(-1)) - Number(times[0])).toBeGreaterThan(100);
  });
});

describe('stale', () => {
  it('lets the service decide while it knows too little itself, and keeps nothing', async () => {
    const guard = await guards.createFresh();
    const [known, other] = [guards.service.keys.add(), guards.service.keys.add()];
    await guard.check(known);
    guards.service.feed.ageMs = 5_000;
    await isIn(guard, 'stale');
    for (const pair of [known, other, other]) expect(await guard.check(pair)).toMatchObject({ source: 'remote' });
    expect(guard.stats()).toMatchObject({ keys: 1, notKept: { stale: 3 } });
    guards.service.feed.ageMs = 5;
    await isIn(guard, 'fresh');
    expect(guard.check(known)).toMatchObject({ source: 'local' });
  });

  it('is what an answer makes it that something on the way has held', async () => {
    const guard = await guards.createFresh();
    guards.service.feed.delayMs = 1_500;
    const pair = guards.service.keys.add();
    await eventually(() => expect(guard.state).not.toBe('fresh'));
    // Late answers arrive meanwhile, and tell of a time that is too long ago
    await eventually(() => expect(guards.service.feed.answered).toBeGreaterThan(guard.stats().asked - 3));
    guards.service.change(pair.apiKey);
    await eventually(() => expect(guard.stats().changes).toBe(1));
    expect(guard.state).not.toBe('fresh');
    guards.service.feed.delayMs = 0;
    await isIn(guard, 'fresh');
  });
});

describe('what is forgotten', () => {
  it('is everything, if the position is too old', async () => {
    const guard = await guards.createFresh();
    const pair = guards.service.keys.add();
    await guard.check(pair);
    guards.service.feed.position += 10n;
    guards.service.feed.oldest = guards.service.feed.position;
    await eventually(() => expect(guard.stats().forgotten).toBe(1));
    await isIn(guard, 'fresh');
    expect(await guard.check(pair)).toMatchObject({ source: 'remote' });
  });

  it('is everything, if the database is another one', async () => {
    const guard = await guards.createFresh();
    const pair = guards.service.keys.add();
    await guard.check(pair);
    Object.assign(guards.service.feed, { epoch: 'epoch-2', position: 50n });
    await eventually(() => expect(guard.stats().forgotten).toBe(1));
    await isIn(guard, 'fresh');
    expect(await guard.check(pair)).toMatchObject({ source: 'remote' });
    expect(guard.check(pair)).toMatchObject({ source: 'local' });
  });
});

describe('refused', () => {
  it('forgets everything and says why, until the token is accepted', async () => {
    const guard = await guards.createFresh({ staleIfErrorSeconds: 600 });
    const pair = guards.service.keys.add();
    await guard.check(pair);
    const { token } = guards.service;
    guards.service.token = 'another';
    await isIn(guard, 'refused');
    expect(guard.stats().keys).toBe(0);
    expect(() => guard.check(pair)).toThrow(/SERVICE_TOKENS/);
    expect(() => guard.check(pair)).toThrow(GuardUnavailableError);
    guards.service.token = token;
    await isIn(guard, 'fresh');
  });

  it('is noticed by a verdict', async () => {
    const guard = await guards.createFresh();
    guards.service.overrides.set('verify', { status: 401, body: '{}' });
    await expect(guard.check(guards.service.keys.add())).rejects.toThrow(/SERVICE_TOKENS/);
    expect(guard.stats().forgotten).toBe(1);
  });

  it('is what a guard is that was never accepted', async () => {
    const guard = guards.create({ token: 'wrong' });
    await guard.ready();
    expect(guard.state).toBe('refused');
  });
});

describe('503', () => {
  it('of the feed is not repeated before the service allows it', async () => {
    const guard = await guards.createFresh();
    const headers = { 'Retry-After': '1' };
    const before = guards.service.to('changes').length;
    guards.service.overrides.set('changes', {
      status: 503,
      headers,
      body: JSON.stringify(failure('unavailable', 'm')),
    });
    await isIn(guard, 'stale');
    guards.service.overrides.delete('changes');
    await isIn(guard, 'fresh');
    const times = guards.service
      .to('changes')
      .slice(before)
      .map(({ at }) => at);
    const gaps = times.map((time, i) => time - (times[i - 1] ?? time));
    expect(Math.max(...gaps)).toBeGreaterThan(950);
    expect(guard.stats().failed).toBeGreaterThan(0);
  });

  it('of a verdict is thrown with the time to wait', async () => {
    const guard = await guards.createFresh();
    const body = JSON.stringify(failure('unavailable', 'The database is not reachable.'));
    guards.service.overrides.set('verify', { status: 503, headers: { 'Retry-After': '7' }, body });
    const error: unknown = await Promise.resolve(guard.check(guards.service.keys.add())).catch(
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(GuardUnavailableError);
    expect(error).toMatchObject({ retryAfterSeconds: 7, message: expect.stringContaining('The database') as string });
    expect(guard.stats().decided.unavailable).toBe(1);
  });
});

describe('onState', () => {
  it('hears of each change; what it throws is ignored', async () => {
    const heard: string[] = [];
    const guard = await guards.createFresh({
      onState: (state, previous) => {
        heard.push(`${previous} > ${state}`);
        throw new Error('ignored');
      },
    });
    await guards.service.stop();
    await isIn(guard, 'away');
    await eventually(() => expect(heard).toHaveLength(2));
    await guard.close();
    expect(heard).toEqual(['cold > fresh', 'fresh > away', 'away > closed']);
  });
});
