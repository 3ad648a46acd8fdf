import type { PendingEvent } from './append.js';
import { type DeniedCall, DenialCounters } from './denial-counters.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const denied = (more: Partial<DeniedCall> = {}): DeniedCall => ({
  ownerId: 'ann',
  source: { actor: 'key:1', ip: '203.0.113.7', requestId: 'request-7' },
  code: 'unauthenticated',
  call: 'GET /api/apiKeys/list',
  apiKeyId: null,
  ...more,
});

/** Counts denials by the test's clock, and collects the events. */
class Trail {
  readonly counters = new DenialCounters();
  readonly events: PendingEvent[] = [];
  now = 0;

  deny(call = denied(), principal = 'key:1'): boolean {
    return this.counters.add(principal, call, this.now, new Date(this.now));
  }

  write(now = this.now): void {
    for (const due of this.counters.due(now, new Date(this.now))) {
      this.events.push(...due.events);
      due.markWritten();
    }
  }

  get counts(): number[] {
    return this.events.map(({ changes }) => Number(changes?.['times'] ?? 1));
  }
}

it('writes the first denial at once, and its repetitions as one event a minute later', () => {
  const trail = new Trail();
  expect(trail.deny()).toBe(true);
  trail.write();
  for (let time = 0; time < 11; time++) {
    trail.now += 1_000;
    expect(trail.deny()).toBe(false);
    trail.write();
  }
  expect(trail.events).toEqual([
    {
      action: 'call.refused',
      at: new Date(0),
      source: denied().source,
      apiKeyId: null,
      refusal: 'unauthenticated',
      changes: { call: 'GET /api/apiKeys/list' },
    },
  ]);
  trail.now = MINUTE;
  trail.write();
  expect(trail.events[1]).toMatchObject({
    at: new Date(MINUTE),
    changes: { call: 'GET /api/apiKeys/list', times: 11, since: new Date(1_000) },
  });
});

it('writes no event without a denial', () => {
  const trail = new Trail();
  trail.deny();
  for (; trail.now < HOUR; trail.now += MINUTE) trail.write();
  expect(trail.events).toHaveLength(1);
});

it.each([
  ['each second', 1_000],
  ['after each summary', MINUTE + 1_000],
  ['every half hour', HOUR / 2],
])('writes a few events an hour at most for a pair that is presented all day, %s', (_, every) => {
  const trail = new Trail();
  let denials = 0;
  for (; trail.now < 24 * HOUR; trail.now += every) {
    trail.deny();
    denials++;
    trail.write();
  }
  trail.write(Infinity);
  expect(trail.events.length).toBeLessThanOrEqual(32);
  expect(trail.counts.reduce((sum, count) => sum + count)).toBe(denials);
});

it('writes the next denial at once after an hour without any', () => {
  const trail = new Trail();
  trail.deny();
  trail.write();
  trail.now += HOUR;
  expect(trail.deny()).toBe(true);
});

it('counts by principal, code and call, and names the key if it was always the same', () => {
  const trail = new Trail();
  const firsts = [
    trail.deny(denied({ apiKeyId: 'a' })),
    trail.deny(denied({ apiKeyId: 'a' }), 'key:2'),
    trail.deny(denied({ apiKeyId: 'a', code: 'key_not_found' })),
    trail.deny(denied({ apiKeyId: 'a', call: 'PATCH /api/apiKeys/:id' })),
  ];
  expect(firsts).toEqual([true, true, true, true]);
  trail.write();
  trail.deny(denied({ apiKeyId: 'a' }));
  trail.deny(denied({ apiKeyId: 'a' }));
  trail.deny(denied({ apiKeyId: 'a' }), 'key:2');
  trail.deny(denied({ apiKeyId: 'b' }), 'key:2');
  trail.write(Infinity);
  expect(trail.events.slice(4).map(({ apiKeyId }) => apiKeyId)).toEqual(['a', null]);
});

it('keeps counting while a write fails', () => {
  const trail = new Trail();
  trail.deny();
  for (const due of trail.counters.due(0, new Date(0))) expect(due.events).toHaveLength(1);
  trail.deny();
  trail.write();
  expect(trail.counts).toEqual([2]);
});

it('leaves denials that arrive during a write to the next event', () => {
  const trail = new Trail();
  trail.deny();
  for (const due of trail.counters.due(0, new Date(0))) {
    trail.deny();
    due.markWritten();
  }
  trail.write();
  expect(trail.events).toEqual([]);
  trail.write(MINUTE);
  expect(trail.counts).toEqual([1]);
});

it('limits the pending counters of one owner, and counts what it dropped', () => {
  const trail = new Trail();
  for (let key = 0; key < 700; key++) trail.deny(denied(), `key:${key}`);
  expect([trail.deny(denied({ ownerId: 'bob' }), 'bob'), trail.counters.dropped]).toEqual([true, 200]);
  trail.write();
  expect(trail.events).toHaveLength(501);
});

it('limits the pending counters of all owners', () => {
  const trail = new Trail();
  for (let key = 0; key < 30_000; key++) trail.deny(denied({ ownerId: `owner ${key}` }), `key:${key}`);
  expect(trail.counters.dropped).toBe(20_000);
  trail.write();
  expect(trail.events).toHaveLength(10_000);
});
