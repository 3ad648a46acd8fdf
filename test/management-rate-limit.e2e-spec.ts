import { runConcurrently, range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { TestClock } from './support/clock.js';
import { issueKey, type IssuedKey, pairHeaders } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceVariables, verify } from './support/verification.js';

const LIMIT = 5;
const clock = new TestClock(Math.ceil(Date.now() / 600) * 600);

const service = useService({ ...serviceVariables, MANAGEMENT_RATE_LIMIT: String(LIMIT) }, clock);
afterEach(() => {
  clock.time += 60_600;
});

const list = (headers: Record<string, string>) => service.client.get('/api/apiKeys/list', headers);
const statuses = async (headers: Record<string, string>, calls: number) => {
  const all: number[] = [];
  for (const _ of range(calls)) all.push((await list(headers)).status);
  return all;
};
const allGranted = range(LIMIT).map(() => 200);
const fields = ({ headers }: Answer) => [headers['ratelimit-policy'], headers['ratelimit'], headers['retry-after']];
const OF_OWNER = 5 * LIMIT;
const policy = `"management";q=${LIMIT};w=60, "owner";q=${OF_OWNER};w=60`;

it('grants each owner a number of calls a minute, over all of its sessions', async () => {
  for (const _ of range(LIMIT)) expect((await list(sessionOf('ann'))).status).toBe(200);
  const refused = await list(sessionOf('ann'));
  expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
  expect(await statuses(sessionOf('bob'), LIMIT + 1)).toEqual([...allGranted, 429]);
});

it('reports the remaining calls to the client, even if the call failed', async () => {
  const first = await list(sessionOf('ann'));
  expect(fields(first)).toEqual([
    policy,
    `"management";r=${LIMIT - 1};t=60, "owner";r=${OF_OWNER - 1};t=60`,
    undefined,
  ]);
  clock.time += 12_000;
  const unknown = await service.client.get('/api/apiKeys/01a20b9d-c4d9-7123-b878-6eb9911deb3f', sessionOf('ann'));
  expect([unknown.status, ...fields(unknown)]).toEqual([
    404,
    policy,
    `"management";r=${LIMIT - 2};t=60, "owner";r=${OF_OWNER - 2};t=60`,
    undefined,
  ]);
  await statuses(sessionOf('ann'), LIMIT - 2);
  expect(fields(await list(sessionOf('ann')))).toEqual([
    policy,
    `"management";r=0;t=49, "owner";r=${OF_OWNER - LIMIT};t=60`,
    '49',
  ]);
});

it('grants calls again as earlier ones leave the window, one by one, without a burst at its edge', async () => {
  for (const _ of range(LIMIT)) {
    expect((await list(sessionOf('ann'))).status).toBe(200);
    clock.time += 6_000;
  }
  clock.time += 60_000 - LIMIT * 6_000;
  expect(await statuses(sessionOf('ann'), 1)).toEqual([429]);
  for (const _ of range(LIMIT)) {
    clock.time += 600;
    expect(await statuses(sessionOf('ann'), 2)).toEqual([200, 429]);
    clock.time += 5_400;
  }
});

it('counts each key separately', async () => {
  const [one, other] = [await issueKey(service.client, 'ann'), await issueKey(service.client, 'ann')];
  for (const key of [one, other]) expect(await statuses(pairHeaders(key), LIMIT + 1)).toEqual([...allGranted, 429]);
  expect(await statuses(sessionOf('ann'), LIMIT - 1)).toEqual([...allGranted.slice(2), 429]);
});

it(`grants an owner ${OF_OWNER / LIMIT} times as many over all of its keys, without affecting others`, async () => {
  const keys = [];
  for (const _ of range(OF_OWNER / LIMIT)) keys.push(await issueKey(service.client, 'carl'));
  clock.time += 60_600;
  for (const key of keys) expect(await statuses(pairHeaders(key), LIMIT)).toEqual(allGranted);
  for (const time of ['the first', 'the second']) {
    const refused = await list(sessionOf('carl'));
    // A refusal by the owner's limit is not charged to the session
    expect([time, refused.status, ...fields(refused)]).toEqual([
      time,
      429,
      policy,
      `"management";r=${LIMIT};t=60, "owner";r=0;t=60`,
      '60',
    ]);
  }
  expect(await statuses(sessionOf('bob'), LIMIT + 1)).toEqual([...allGranted, 429]);
});

it("lets a session revoke keys that have exhausted their owner's rate", async () => {
  const keys = [];
  for (const _ of range(OF_OWNER / LIMIT)) keys.push(await issueKey(service.client, 'erin'));
  clock.time += 60_600;
  for (const key of keys) expect(await statuses(pairHeaders(key), LIMIT)).toEqual(allGranted);
  expect((await list(sessionOf('erin'))).status).toBe(429);
  const [first, second, third] = keys as [IssuedKey, IssuedKey, IssuedKey];
  const remove = (key: IssuedKey, by: Record<string, string>) => service.client.delete(`/api/apiKeys/${key.id}`, by);
  expect((await remove(first, pairHeaders(third))).status).toBe(429);
  for (const key of [first, second]) expect((await remove(key, sessionOf('erin'))).status).toBe(200);
  expect((await verify(service.client, first)).body.data.code).toBe('REVOKED');
});

it('grants testAuthentication a separate rate, which its refusals report', async () => {
  const [key, other] = [await issueKey(service.client, 'dora'), await issueKey(service.client, 'dora')];
  const test = (headers: Record<string, string>) => service.client.get('/api/apiKeys/testAuthentication', headers);
  await runConcurrently(10, range(LIMIT), async () => {
    expect((await test(pairHeaders(key))).status).toBe(200);
  });
  const refused = await test(pairHeaders(key));
  expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
  expect(fields(refused)).toEqual([`"test";q=${LIMIT};w=6`, '"test";r=0;t=6', '6']);
  for (const caller of [pairHeaders(other), sessionOf('dora')]) {
    const answer = await test(caller);
    expect([answer.status, ...fields(answer)]).toEqual([200, undefined, undefined, undefined]);
  }
  expect(await statuses(pairHeaders(key), LIMIT)).toEqual(allGranted);
});

it('neither limits nor counts verifications', async () => {
  const key = await issueKey(service.client, 'ann');
  for (const i of range(3 * LIMIT)) {
    // That of testAuthentication is over then
    if (i % LIMIT === 0) clock.time += 6_060;
    expect((await verify(service.client, key)).body.data.valid).toBe(true);
    for (const path of ['testAuthentication', 'authorize?scope=admin'])
      expect((await service.client.get(`/api/apiKeys/${path}`, pairHeaders(key))).status).toBe(200);
  }
  expect(await statuses(pairHeaders(key), LIMIT + 1)).toEqual([...allGranted, 429]);
});

it('charges a key nothing when it refuses, and reports both limits when the key’s own refuses', async () => {
  const limits = { max_uses: 2 * LIMIT, rate_limit: { requests: LIMIT, window_seconds: 60 } };
  const key = await issueKey(service.client, 'ann', { name: 'limited', scopes: { admin: true }, limits });
  await statuses(pairHeaders(key), LIMIT + 3);
  expect((await verify(service.client, key, { cost: 0 })).body.data).toMatchObject({
    remaining_uses: LIMIT,
    rate_limit: { remaining: 0 },
  });
  clock.time += 60_600;
  await verify(service.client, key, { cost: LIMIT });
  expect(await refusalOf(key)).toEqual([
    'rate_limited',
    `${policy}, "key";q=${LIMIT};w=60`,
    expect.stringMatching(/^"management";r=\d;t=60, "owner";r=\d+;t=60, "key";r=0;t=60$/),
    '60',
  ]);
});

async function refusalOf(key: IssuedKey) {
  const answer = await list(pairHeaders(key));
  return [answer.body.error.code, ...fields(answer)];
}
