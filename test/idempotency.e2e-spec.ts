import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { clockAhead } from './support/clock.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issued, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const clock = clockAhead();
const serverKey = () => randomBytes(32).toString('base64');
const serverKeys = [serverKey()];

let database: TestDatabase;
let service: TestService;
const start = () => startService({ CREDENTIAL_KEYS: serverKeys.join(',') }, database, clock);
beforeAll(async () => {
  database = await createTestDatabase();
  service = await start();
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const keyed = (headers: Record<string, string>, key: string) => ({ ...headers, 'idempotency-key': key });
const create = (key: string, body: object = powerlessBody, headers: Record<string, string> = sessionOf('ann')) =>
  service.client.post('/api/apiKeys', keyed(headers, key), body);
const rotate = (id: string, key: string, body?: object) =>
  service.client.post(`/api/apiKeys/${id}/rotate`, keyed(sessionOf('ann'), key), body);
const totalOf = async (owner: string) =>
  (await service.client.get('/api/apiKeys/list', sessionOf(owner))).body.data.total as number;
/** Shifts stored times, as if this much time had passed. */
const pass = (interval: string) =>
  service.app.get(DataSource).query('UPDATE idempotent_answers SET expires_at = expires_at - $1::interval', [interval]);
const rows = (): Promise<Record<string, Buffer>[]> =>
  service.app.get(DataSource).query('SELECT * FROM idempotent_answers');

function expectSame(one: Answer, other: Answer): void {
  expect([other.status, other.text]).toEqual([one.status, one.text]);
}

describe('the same Idempotency-Key again', () => {
  it('gets the same answer, and creates nothing new', async () => {
    const [key, total] = [randomUUID(), await totalOf('ann')];
    const first = await create(key);
    expect(first.status).toBe(200);
    for (let time = 0; time < 3; time++) expectSame(first, await create(key));
    expect(await totalOf('ann')).toBe(total + 1);
    expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(issued(first)))).status).toBe(200);
  });

  it('gets the same answer to a rotation, and does not rotate again', async () => {
    const apiKey = await issueKey(service.client, 'ann', powerlessBody);
    const key = randomUUID();
    const first = await rotate(apiKey.id, key, { overlap_seconds: 60 });
    clock.time += 1_000;
    expectSame(first, await rotate(apiKey.id, key, { overlap_seconds: 60 }));
    for (const one of [apiKey, issued(first)]) {
      expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(one))).status).toBe(200);
    }
    expect(outcomeOf(await rotate(apiKey.id, key, { overlap_seconds: 61 }))).toBe('422 idempotency_key_reused');
    const without = randomUUID();
    expectSame(await rotate(apiKey.id, without), await rotate(apiKey.id, without, { overlap_seconds: 0 }));
  });

  it('gets the same answer however the JSON of its body is formatted', async () => {
    const key = randomUUID();
    const { name, scopes } = powerlessBody;
    const { admin, data, pinning, pin_nft } = scopes;
    const limits = { max_uses: 7, rate_limit: { requests: 1, window_seconds: 2 } };
    const metadata = { b: '1', a: '2' };
    const first = await create(key, { name, scopes, limits, metadata });
    expect(first.status).toBe(200);
    const others = [
      { metadata: { a: '2', b: '1' }, limits, scopes, name },
      {
        limits: { rate_limit: { window_seconds: 2, requests: 1 }, max_uses: 7 },
        name,
        metadata,
        scopes: { pin_nft, pinning: Object.fromEntries(Object.entries(pinning).toReversed()), data, admin },
      },
    ].map((body) => JSON.stringify(body));
    const spelled = JSON.stringify({ name, scopes, limits, metadata }).replace(':7', ':7.0').replaceAll(',', ' ,\n');
    for (const body of [...others, spelled]) {
      const again = await service.client.post('/api/apiKeys', keyed(sessionOf('ann'), key), body);
      expectSame(first, again);
    }
    const other = await create(key, { name, scopes, limits, metadata: { a: '1', b: '2' } });
    expect(outcomeOf(other)).toBe('422 idempotency_key_reused');
  });

  it('repeats the same rotation for every spelling of the id', async () => {
    const apiKey = await issueKey(service.client, 'ann', powerlessBody);
    const key = randomUUID();
    const first = await rotate(apiKey.id, key, { overlap_seconds: 60 });
    expectSame(first, await rotate(apiKey.id.toUpperCase(), key, { overlap_seconds: 60 }));
    expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(apiKey))).status).toBe(200);
  });

  it('is refused with another body, and still returns the first answer', async () => {
    const [key, total] = [randomUUID(), await totalOf('ann')];
    const first = await create(key);
    for (const body of [
      { ...powerlessBody, name: 'other' },
      { ...powerlessBody, limits: {} },
    ]) {
      const answer = await create(key, body);
      expect(outcomeOf(answer)).toBe('422 idempotency_key_reused');
      expect(answer.text).not.toContain(issued(first).secret_key);
    }
    expectSame(first, await create(key));
    expect(await totalOf('ann')).toBe(total + 1);
  });

  it('does not apply to another owner, caller, operation or key', async () => {
    const key = randomUUID();
    const [admin, other] = [await issueKey(service.client, 'ann'), await issueKey(service.client, 'ann')];
    const answers = [
      await create(key),
      await create(key, powerlessBody, sessionOf('bob')),
      await create(key, powerlessBody, pairHeaders(admin)),
      await create(key, powerlessBody, pairHeaders(other)),
      await rotate(admin.id, key, {}),
      await rotate(other.id, key, {}),
      await create(`${key}!`),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map((answer) => issued(answer).secret_key)).size).toBe(answers.length);
  });

  it('is a new request after ten minutes', async () => {
    const key = randomUUID();
    const first = await create(key);
    await pass('9 minutes');
    expectSame(first, await create(key));
    await pass('1 minute');
    const second = await create(key, { ...powerlessBody, name: 'another' });
    expect(second.status).toBe(200);
    expect(issued(second).secret_key).not.toBe(issued(first).secret_key);
    expectSame(second, await create(key, { ...powerlessBody, name: 'another' }));
  });

  it('is free again when the first request failed, whether malformed or refused', async () => {
    const key = randomUUID();
    const body = { ...powerlessBody, limits: { expires_at: new Date(clock.time + 7_200_000).toISOString() } };
    const limits = { expires_at: new Date(clock.time + 3_600_000).toISOString() };
    const admin = await issueKey(service.client, 'ann', { name: 'a', scopes: { admin: true }, limits });
    expect(outcomeOf(await create(key, { name: '' }, pairHeaders(admin)))).toBe('400 validation_failed');
    expect(outcomeOf(await create(key, body, pairHeaders(admin)))).toBe('403 exceeds_issuer');
    expect((await create(key, powerlessBody, pairHeaders(admin))).status).toBe(200);
    const gone = randomUUID();
    expect(outcomeOf(await rotate('01a20b9d-c4d9-7123-b878-6eb9911deb3f', gone))).toBe('404 key_not_found');
    expect(outcomeOf(await rotate('01a20b9d-c4d9-7123-b878-6eb9911deb3f', gone))).toBe('404 key_not_found');
  });

  it('issues one key to 32 concurrent callers, and gives all that are answered the same secret', async () => {
    for (const round of range(4)) {
      const owner = `crowd ${round}`;
      const key = randomUUID();
      const answers = await Promise.all(range(32).map(() => create(key, powerlessBody, sessionOf(owner))));
      const answered = answers.filter(({ status }) => status === 200);
      expect(answered.length).toBeGreaterThan(0);
      expect(new Set(answered.map(({ text }) => text)).size).toBe(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expect(outcomeOf(answer)).toBe('409 idempotency_key_in_use');
        expect(answer.headers['retry-after']).toBe('1');
      }
      expect(await totalOf(owner)).toBe(1);
      expectSame(answered[0] as Answer, await create(key, powerlessBody, sessionOf(owner)));
    }
  });

  it('rotates once for 32 concurrent callers', async () => {
    const apiKey = await issueKey(service.client, 'ann', powerlessBody);
    const key = randomUUID();
    const answers = await Promise.all(range(32).map(() => rotate(apiKey.id, key)));
    const answered = answers.filter(({ status }) => status === 200);
    expect(new Set(answered.map(({ text }) => text)).size).toBe(1);
    const path = `/api/apiKeys/events?api_key_id=${apiKey.id}&action=key.rotated`;
    expect((await service.client.get(path, sessionOf('ann'))).body.data.events).toHaveLength(1);
  });

  it('is in use while its claimant may be working, and free once that must have been killed', async () => {
    const key = randomUUID();
    const before = new Set((await rows()).map(({ id }) => id?.toString('hex')));
    const first = await create(key);
    const mine = (await rows()).find(({ id }) => !before.has(id?.toString('hex')));
    // As left by a process that was killed before its transaction
    await service.app
      .get(DataSource)
      .query(`UPDATE idempotent_answers SET answer = NULL, expires_at = now() + interval '30 seconds' WHERE id = $1`, [
        mine?.['id'],
      ]);
    expect(outcomeOf(await create(key))).toBe('409 idempotency_key_in_use');
    expect(outcomeOf(await create(key, { ...powerlessBody, name: 'x' }))).toBe('422 idempotency_key_reused');
    await pass('30 seconds');
    expect(issued(await create(key)).secret_key).not.toBe(issued(first).secret_key);
  });

  it('is claimed and kept by the clock of the database, whatever the clock of the process', async () => {
    const key = randomUUID();
    const first = await create(key);
    for (const ahead of [3_600_000, -7_200_000]) {
      clock.time += ahead;
      expectSame(first, await create(key));
    }
    clock.time += 3_600_000;
    const left = (await service.app
      .get(DataSource)
      .query('SELECT extract(epoch FROM max(expires_at) - now())::float8 AS seconds FROM idempotent_answers')) as [
      { seconds: number },
    ];
    expect(left[0].seconds).toBeGreaterThan(0);
    expect(left[0].seconds).toBeLessThanOrEqual(600);
  });

  it('that another process is working on is not taken over by one whose clock is ahead', async () => {
    const [key, total] = [randomUUID(), await totalOf('ann')];
    await create(key);
    await service.app.get(DataSource).query(
      `UPDATE idempotent_answers SET answer = NULL, expires_at = now() + interval '30 seconds'
       WHERE expires_at = (SELECT max(expires_at) FROM idempotent_answers)`,
    );
    clock.time += 3_600_000;
    expect(outcomeOf(await create(key))).toBe('409 idempotency_key_in_use');
    clock.time -= 3_600_000;
    expect(await totalOf('ann')).toBe(total + 1);
  });

  it('still decrypts the answer after a new server key was put first', async () => {
    const [key, total] = [randomUUID(), await totalOf('ann')];
    const first = await create(key);
    await service.stop();
    serverKeys.unshift(serverKey());
    service = await start();
    expectSame(first, await create(key));
    expect(outcomeOf(await create(key, { ...powerlessBody, name: 'x' }))).toBe('422 idempotency_key_reused');
    expect(await totalOf('ann')).toBe(total + 1);
    const later = randomUUID();
    expectSame(await create(later), await create(later));
  });
});

it('stores neither the answer, the request nor the Idempotency-Key in plain text', async () => {
  await service.app.get(DataSource).query('DELETE FROM idempotent_answers');
  const key = `my-own-word-${randomUUID()}`;
  const body = { ...powerlessBody, name: 'a telling name' };
  const { id, api_key, secret_key } = issued(await create(key, body, sessionOf('a telling owner')));
  const kept = await rows();
  expect(kept).toHaveLength(1);
  const bytes = Object.values(kept[0] ?? {}).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : ''));
  expect(bytes.filter((column) => column !== '').length).toBeGreaterThan(0);
  for (const plainText of [key, id, api_key, secret_key, secret_key.slice(4), 'a telling', 'ann', 'create']) {
    for (const column of bytes) {
      expect(column).not.toContain(plainText);
      expect(column).not.toContain(Buffer.from(plainText).toString('base64').replaceAll('=', ''));
      expect(column).not.toContain(Buffer.from(plainText).toString('hex'));
    }
  }
});

it.each([
  ['empty', ''],
  ['over-long', 'x'.repeat(256)],
  ['there twice', ['a-first-word', 'another-word']],
])('is refused when it is %s', async (_, value) => {
  const headers = { ...sessionOf('ann'), 'idempotency-key': value };
  const apiKey = await issueKey(service.client, 'ann', powerlessBody);
  for (const path of ['/api/apiKeys', `/api/apiKeys/${apiKey.id}/rotate`]) {
    const body = path.endsWith('rotate') ? {} : powerlessBody;
    const answer = await service.client.call('POST', path, { headers, body });
    expect(outcomeOf(answer)).toBe('400 validation_failed');
    expect(pathsOf(answer)).toEqual(['Idempotency-Key']);
  }
});

it.each(['x', 'y'.repeat(255), ' a "quoted" word, with a comma '])('may be %j', async (key) => {
  expectSame(await create(key), await create(key));
});
