import type { AuditOccurrence } from './append.js';
import { type Refusal, RefusalTallies } from './denial-counters.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const refusal = (more: Partial<Refusal> = {}): Refusal => ({
  ownerId: 'ann',
  origin: { actor: 'key:1', ip: '203.0.113.7', requestId: 'request-7' },
  code: 'unauthenticated',
  call: 'GET /api/apiKeys/list',
  apiKeyId: null,
  ...more,
});

/** Refusals by the clock of the test, and the events that come of them. */
class Trail {
  readonly tallies = new RefusalTallies();
  readonly events: AuditOccurrence[] = [];
  now = 0;

  refuse(one = refusal(), principal = 'key:1'): boolean {
    return this.tallies.add(principal, one, this.now, new Date(this.now));
  }

  write(now = this.now): void {
    for (const due of this.tallies.due(now, new Date(this.now))) {
      this.events.push(...due.occurrences);
      due.done();
    }
  }

  get counts(): number[] {
    return this.events.map(({ changes }) => Number(changes?.['times'] ?? 1));
  }
}

it('makes an event of the first at once, and one a minute later of all that have come since', () => {
  const trail = new Trail();
  expect(trail.refuse()).toBe(true);
  trail.write();
  for (let time = 0; time < 11; time++) {
    trail.now += 1_000;
    expect(trail.refuse()).toBe(false);
    trail.write();
  }
  expect(trail.events).toEqual([
    {
      action: 'call.refused',
      at: new Date(0),
      origin: refusal().origin,
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

it('makes no event where nothing was refused', () => {
  const trail = new Trail();
  trail.refuse();
  for (; trail.now < HOUR; trail.now += MINUTE) trail.write();
  expect(trail.events).toHaveLength(1);
});

it.each([
  ['each second', 1_000],
  ['as soon as the summary before is written', MINUTE + 1_000],
  ['every half hour', HOUR / 2],
])('makes a few events an hour at most of a pair that is presented all day, %s', (_, every) => {
  const trail = new Trail();
  let refused = 0;
  for (; trail.now < 24 * HOUR; trail.now += every) {
    trail.refuse();
    refused++;
    trail.write();
  }
  trail.write(Infinity);
  expect(trail.events.length).toBeLessThanOrEqual(32);
  expect(trail.counts.reduce((sum, count) => sum + count)).toBe(refused);
});

it('takes one for a first again after an hour without any', () => {
  const trail = new Trail();
  trail.refuse();
  trail.write();
  trail.now += HOUR;
  expect(trail.refuse()).toBe(true);
});

it('tells principals, codes and calls apart, and names a key where it was always the same', () => {
  const trail = new Trail();
  const firsts = [
    trail.refuse(refusal({ apiKeyId: 'a' })),
    trail.refuse(refusal({ apiKeyId: 'a' }), 'key:2'),
    trail.refuse(refusal({ apiKeyId: 'a', code: 'key_not_found' })),
    trail.refuse(refusal({ apiKeyId: 'a', call: 'PATCH /api/apiKeys/:id' })),
  ];
  expect(firsts).toEqual([true, true, true, true]);
  trail.write();
  trail.refuse(refusal({ apiKeyId: 'a' }));
  trail.refuse(refusal({ apiKeyId: 'a' }));
  trail.refuse(refusal({ apiKeyId: 'a' }), 'key:2');
  trail.refuse(refusal({ apiKeyId: 'b' }), 'key:2');
  trail.write(Infinity);
  expect(trail.events.slice(4).map(({ apiKeyId }) => apiKeyId)).toEqual(['a', null]);
});

it('counts what could not be written until it can be', () => {
  const trail = new Trail();
  trail.refuse();
  for (const due of trail.tallies.due(0, new Date(0))) expect(due.occurrences).toHaveLength(1);
  trail.refuse();
  trail.write();
  expect(trail.counts).toEqual([2]);
});

it('lets what comes while it is written wait for the next event', () => {
  const trail = new Trail();
  trail.refuse();
  for (const due of trail.tallies.due(0, new Date(0))) {
    trail.refuse();
    due.done();
  }
  trail.write();
  expect(trail.events).toEqual([]);
  trail.write(MINUTE);
  expect(trail.counts).toEqual([1]);
});

it('lets no owner take the places of others, and says what it has not counted', () => {
  const trail = new Trail();
  for (let key = 0; key < 700; key++) trail.refuse(refusal(), `key:${key}`);
  expect([trail.refuse(refusal({ ownerId: 'bob' }), 'bob'), trail.tallies.dropped]).toEqual([true, 200]);
  trail.write();
  expect(trail.events).toHaveLength(501);
});

it('holds so many at the most', () => {
  const trail = new Trail();
  for (let key = 0; key < 30_000; key++) trail.refuse(refusal({ ownerId: `owner ${key}` }), `key:${key}`);
  expect(trail.tallies.dropped).toBe(20_000);
  trail.write();
  expect(trail.events).toHaveLength(10_000);
});
