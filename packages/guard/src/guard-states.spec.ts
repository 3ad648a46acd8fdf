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
  it('asks four times within the bound if nothing happens', async () => {
    guards.service.feed.boundMs = 1_000;
    guards.create();
    await eventually(() => expect(guards.service.to('changes').at(-1)?.query.get('wait_ms')).toBe('250'));
  });

  it('asks again when the service has held the question, at least once a second', async () => {
    await guards.createFresh();
    const held = () => guards.service.to('changes').filter(({ query }) => query.get('wait_ms') === '1000');
    await eventually(() => expect(held()).toHaveLength(3));
    const [first, , third] = held();
    expect(Number(third?.at) - Number(first?.at)).toBeGreaterThan(1_900);
  });

  it('is not left for as long as the service holds a question', async () => {
    Object.assign(guards.service.feed, { boundMs: 1_000, ageMs: 600 });
    guards.create();
    const waits = () => guards.service.to('changes').map(({ query }) => Number(query.get('wait_ms')));
    await eventually(() => expect(waits().some((waitMs) => waitMs > 0)).toBe(true));
    expect(Math.max(...waits())).toBeLessThanOrEqual(150);
  });

  it('follows the position that it was sent', async () => {
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
  beforeEach(() => {
    guards.service.feed.boundMs = 1_000;
  });

  it('lets the service decide while it knows too little itself, and keeps nothing', async () => {
    const guard = await guards.createFresh();
    const [known, other] = [guards.service.keys.add(), guards.service.keys.add()];
    await guards.learn(guard, known);
    guards.service.feed.ageMs = 5_000;
    await isIn(guard, 'stale');
    for (const pair of [known, other, other]) expect(await guard.check(pair)).toMatchObject({ source: 'remote' });
    expect(guard.stats().keys).toBe(1);
    expect(guard.stats().notKept['stale']).toBeGreaterThanOrEqual(3);
    guards.service.feed.ageMs = 5;
    await isIn(guard, 'fresh');
    await guards.learn(guard, known);
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
    guards.service.feed.isExpired = true;
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
    guards.service.feed.boundMs = 1_000;
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
    guards.service.feed.boundMs = 1_000;
    const heard: string[] = [];
    const guard = await guards.createFresh({
      onState: (state, previous) => {
        heard.push(`${previous} > ${state}`);
        throw new Error('ignored');
      },
    });
    await guards.service.stop();
    await isIn(guard, 'away');
    await eventually(() => expect(heard.at(-1)).toMatch(/> away$/));
    await guard.close();
    expect(heard[0]).toBe('cold > fresh');
    expect(heard.at(-1)).toBe('away > closed');
  });
});
