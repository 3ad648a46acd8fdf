import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { outcomeOf, pathsOf } from './support/answers.js';
import { range, runConcurrently } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { TestClock } from './support/clock.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const REPORTS = '/api/apiKeys/reports';
const DAY_MS = 86_400_000;
const LIMIT = 262_144;
/** In the middle of a day. */
const NOON = Math.ceil(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

const clock = new TestClock(NOON);
const service = useService(serviceVariables, clock);

const newGuard = () => randomBytes(16).toString('base64url');
const send = (body: unknown, headers: Record<string, string> = serviceHeaders) =>
  service.client.post(REPORTS, headers, body);
const report = (counts: object[], guard = newGuard(), seq = 1) => send({ guard, seq, counts });
const countOf = ({ id }: Pick<IssuedKey, 'id'>, more: object = {}) => ({
  key_id: id,
  which: 'current',
  code: 'VALID',
  n: 1,
  last_ms_ago: 0,
  ...more,
});
const issue = () => issueKey(service.client, 'ann', powerlessBody);
const shown = async (key: IssuedKey) =>
  (await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data;
const daysOf = async (key: IssuedKey) =>
  (await service.client.get(`/api/apiKeys/${key.id}/usage?days=3`, sessionOf('ann'))).body.data.days;
const accepted = ({ status, body }: Answer) => [status, body];
const ACCEPTED = (count: number) => [202, { data: { accepted: count }, status: 'success' }];

async function untilUsed(key: IssuedKey, uses: number): Promise<void> {
  await until(async () => (await shown(key)).uses >= uses, 'the uses');
}

async function untilVerified(key: IssuedKey, verified: number): Promise<void> {
  await until(async () => (await daysOf(key))[0]?.verified >= verified, 'the statistics');
}

it('adds to the usage of a key what guards decided, beside what the service did', async () => {
  const key = await issue();
  await verify(service.client, key);
  const answer = await report([
    countOf(key, { n: 40, last_ms_ago: 1_000 }),
    countOf(key, { code: 'INSUFFICIENT_SCOPE', n: 3 }),
    countOf(key, { code: 'IP_NOT_ALLOWED', n: 2 }),
    countOf(key, { code: 'EXPIRED' }),
    countOf(key, { n: 5, last_ms_ago: 2_000 }),
  ]);
  expect(accepted(answer)).toEqual(ACCEPTED(5));
  await untilUsed(key, 46);
  await untilVerified(key, 46);
  expect(await daysOf(key)).toEqual([
    { day: dayOf(NOON), verified: 46, denied: { INSUFFICIENT_SCOPE: 3, IP_NOT_ALLOWED: 2, EXPIRED: 1 } },
  ]);
  expect(await shown(key)).toMatchObject({ uses: 46, last_used_at: new Date(NOON).toISOString() });
});

it('counts on the day of the last verdict, at most 24 hours back', async () => {
  const key = await issue();
  await report([countOf(key, { n: 2, last_ms_ago: DAY_MS / 2 + 1 }), countOf(key, { n: 3, last_ms_ago: 9 * DAY_MS })]);
  await untilVerified(key, 5);
  expect(await daysOf(key)).toEqual([{ day: dayOf(NOON - DAY_MS), verified: 5, denied: {} }]);
  await untilUsed(key, 5);
  expect((await shown(key)).last_used_at).toBe(new Date(NOON - DAY_MS / 2 - 1).toISOString());
});

it('counts no refusal as a use', async () => {
  const key = await issue();
  await report([countOf(key, { code: 'INSUFFICIENT_SCOPE', n: 7 })]);
  await until(async () => (await daysOf(key))[0]?.denied.INSUFFICIENT_SCOPE === 7, 'the statistics');
  await report([countOf(key)]);
  await untilUsed(key, 1);
  expect((await shown(key)).uses).toBe(1);
});

it('uses up no limit', async () => {
  const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: 2 } });
  await report([countOf(key, { n: 9, last_ms_ago: 1_000 })]);
  await until(async () => (await shown(key)).last_used_at !== null, 'the last use');
  await untilVerified(key, 9);
  expect(await shown(key)).toMatchObject({ uses: 0, last_used_at: new Date(NOON - 1_000).toISOString() });
  for (const code of ['VALID', 'VALID', 'USAGE_EXCEEDED'])
    expect((await verify(service.client, key)).body.data.code).toBe(code);
});

it('counts a report once, however often it arrives', async () => {
  const key = await issue();
  const guard = newGuard();
  const counts = [countOf(key, { n: 10 }), countOf({ id: randomUUID() })];
  const answers = await Promise.all(range(5).map(() => report(counts, guard, 1)));
  answers.push(await report(counts, guard, 1));
  expect(answers.map(accepted)).toEqual(range(6).map(() => ACCEPTED(1)));
  // Another number, another guard, and the same guard's name used by another service
  await report(counts, guard, 2);
  await report(counts);
  await send({ guard, seq: 1, counts }, { authorization: `Bearer ${'o'.repeat(32)}` });
  await untilUsed(key, 40);
  await untilVerified(key, 40);
  expect([(await shown(key)).uses, await daysOf(key)]).toEqual([40, [{ day: dayOf(NOON), verified: 40, denied: {} }]]);
});

it('ignores unknown keys, and counts them in the metrics', async () => {
  const key = await issue();
  const metrics = {
    'guard_verdicts_total{code="VALID"}': 2,
    'guard_verdicts_ignored_total{reason="unknown_key"}': 9,
    'guard_reports_total{result="counted"}': 1,
    'guard_reports_total{result="repeated"}': 1,
  };
  const read = (name: string) => metricOf(service.client, `w3ipfs_keys_${name}`);
  const before = Object.fromEntries(
    await Promise.all(Object.keys(metrics).map(async (name) => [name, await read(name)])),
  );
  const [guard, unknown] = [newGuard(), { id: randomUUID() }];
  for (const _ of range(2)) {
    const answer = await report([countOf(unknown, { n: 9 }), countOf(key, { n: 2 })], guard);
    expect(accepted(answer)).toEqual(ACCEPTED(1));
  }
  for (const [name, more] of Object.entries(metrics))
    expect([name, await read(name)]).toEqual([name, before[name] + more]);
  await untilUsed(key, 2);
  const query = 'SELECT FROM usage_days WHERE api_key_id = $1';
  expect(await service.app.get(DataSource).query(query, [unknown.id])).toHaveLength(0);
});

it('shows when the previous secret was last used', async () => {
  const key = await issue();
  const rotate = async () =>
    issued(await service.client.post(`/api/apiKeys/${key.id}/rotate`, sessionOf('ann'), { overlap_seconds: 60 }));
  await rotate();
  const lastUse = async () => (await shown(key)).rotation.previous_secret_last_used_at;
  await report([countOf(key, { n: 3 }), countOf(key, { which: 'previous', code: 'EXPIRED' })]);
  await untilUsed(key, 3);
  expect(await lastUse()).toBeNull();
  await report([countOf(key, { which: 'previous', code: 'IP_NOT_ALLOWED', last_ms_ago: 500, ip: '203.0.113.7' })]);
  await until(async () => (await lastUse()) !== null, 'the use');
  expect(await lastUse()).toBe(new Date(NOON - 500).toISOString());
});

it('changes nothing else of a key', async () => {
  const key = await issue();
  const before = await shown(key);
  await report([countOf(key, { n: 2 }), countOf(key, { which: 'previous', ip: '203.0.113.7' })]);
  await untilUsed(key, 3);
  expect(await shown(key)).toEqual({ ...before, uses: 3, last_used_at: new Date(NOON).toISOString() });
});

it('names every problem by its path, and counts nothing', async () => {
  const key = await issue();
  const wrong = { key_id: 'x', which: 'old', code: 'REVOKED', n: 0, last_ms_ago: -1, ip: 'x', x: 1 };
  const answer = await send({ guard: 'x', seq: 0, counts: [countOf(key), wrong, 7], epoch: 1 });
  expect(outcomeOf(answer)).toBe('400 validation_failed');
  const ofCount = ['code', 'ip', 'key_id', 'last_ms_ago', 'n', 'which', 'x'].map((name) => `counts.1.${name}`);
  expect(pathsOf(answer).toSorted()).toEqual([...ofCount, 'counts.2', 'epoch', 'guard', 'seq']);
  expect(pathsOf(await send(undefined))).toEqual(['guard', 'seq', 'counts']);
  await report([countOf(key, { n: 2 })]);
  await untilUsed(key, 2);
  expect((await shown(key)).uses).toBe(2);
});

it('is for services alone', async () => {
  const admin = await issueKey(service.client, 'ann');
  const callers: Record<string, string>[] = [
    {},
    sessionOf('ann'),
    pairHeaders(admin),
    { authorization: 'Bearer not-a-service-token-of-32-characters' },
  ];
  const body = { guard: newGuard(), seq: 1, counts: [] };
  for (const headers of callers) expect(outcomeOf(await send(body, headers))).toBe('401 unauthenticated');
  expect(accepted(await send(body))).toEqual(ACCEPTED(0));
});

describe('the bounds of a report, which are inclusive', () => {
  const largest = (key: IssuedKey, counts: number) => {
    const ip = '2001:0db8:0000:0000:0000:0000:0000:0001';
    const count = { which: 'previous', code: 'INSUFFICIENT_SCOPE', n: 10_000_000, last_ms_ago: DAY_MS, ip };
    return JSON.stringify({ guard: newGuard(), seq: 1, counts: range(counts).map(() => countOf(key, count)) });
  };

  it('1,000 counts', async () => {
    const key = await issue();
    expect(accepted(await send(largest(key, 1_000)))).toEqual(ACCEPTED(1_000));
    const answer = await send(largest(key, 1_001));
    expect([outcomeOf(answer), pathsOf(answer)]).toEqual(['400 validation_failed', ['counts']]);
  });

  it('256 KiB', async () => {
    const body = largest(await issue(), 1_000);
    expect(accepted(await send(body.padEnd(LIMIT)))).toEqual(ACCEPTED(1_000));
    const answer = await send(body.padEnd(LIMIT + 1));
    expect(outcomeOf(answer)).toBe('413 payload_too_large');
    expect(answer.body.error.message).toContain('256 KiB');
  });

  it('256 KiB of unknown length', async () => {
    const body = largest(await issue(), 1_000);
    const stream = async (text: string) => {
      const chunks = range(Math.ceil(text.length / 65_536)).map((part) =>
        text.slice(part * 65_536, (part + 1) * 65_536),
      );
      const headers = { ...serviceHeaders, 'content-type': 'application/json' };
      const streamed = ReadableStream.from(chunks.map((one) => Buffer.from(one)));
      const init = { method: 'POST', headers, body: streamed, duplex: 'half' as const };
      return (await fetch(`${service.client.url}${REPORTS}`, init)).status;
    };
    expect(await stream(body.padEnd(LIMIT))).toBe(202);
    expect(await stream(body.padEnd(LIMIT + 1))).toBe(413);
  });

  it('8,000 members', async () => {
    const members = (count: number) => Object.fromEntries(range(count).map((index) => [`p${index}`, 1]));
    const answers = [await send(members(8_000)), await send(members(8_001))];
    expect(answers.map(outcomeOf)).toEqual(['400 validation_failed', '400 validation_failed']);
    expect(answers.map((answer) => answer.body.error.details[0].message)).toEqual([
      'is not a known property',
      'the body must not have more than 8000 members in all',
    ]);
  });

  it('64 KiB everywhere else', async () => {
    const answer = await service.client.post('/api/apiKeys/verify', serviceHeaders, '{}'.padEnd(65_537));
    expect(outcomeOf(answer)).toBe('413 payload_too_large');
    expect(answer.body.error.message).toContain('64 KiB');
  });
});

it('loses no count of a flood of reports', async () => {
  const keys = await Promise.all(range(20).map(issue));
  const guards = range(50).map(newGuard);
  const reports = guards.flatMap((guard) => range(10).map((index) => ({ guard, seq: index + 1 })));
  const counts = keys.flatMap((key) => [countOf(key, { n: 2 }), countOf(key, { code: 'INSUFFICIENT_SCOPE' })]);
  await runConcurrently(100, reports, async ({ guard, seq }) => {
    // Shed load is to be sent again
    await until(async () => {
      const { status } = await report(counts, guard, seq);
      expect([202, 503]).toContain(status);
      return status === 202;
    }, 'a report to be accepted');
  });
  for (const key of keys) {
    await untilUsed(key, 2 * reports.length);
    await until(async () => (await daysOf(key))[0]?.denied.INSUFFICIENT_SCOPE >= reports.length, 'the statistics');
    expect((await shown(key)).uses).toBe(2 * reports.length);
    expect(await daysOf(key)).toEqual([
      { day: dayOf(NOON), verified: 2 * reports.length, denied: { INSUFFICIENT_SCOPE: reports.length } },
    ]);
  }
});
