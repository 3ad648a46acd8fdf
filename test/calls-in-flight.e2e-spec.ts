import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ApiKeysService } from '../src/api-keys/api-keys.service.js';
import { KeyTransactions } from '../src/api-keys/invalidation/key-transactions.js';
import { IdempotentAnswers } from '../src/idempotency/idempotent-answers.js';
import { outcomeOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { onServer } from './support/database.js';
import { documentedBody, issued, type IssuedKey, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

let dataSource: DataSource;
const service = useService();
beforeAll(async () => {
  dataSource = service.app.get(DataSource);
});
afterEach(() => void jest.restoreAllMocks());

const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const shown = async (key: IssuedKey) => (await service.client.get(pathOf(key), sessionOf('ann'))).body.data;
const liveTotal = async () => (await service.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data.total;
const outcomeWithReason = ({ status, body }: Answer) =>
  status === 200 ? '200' : `${status} ${body.error.reason ?? body.error.code}`;

/** Every change that a key may make to keys that it may change. */
const MUTATIONS: Record<string, (caller: IssuedKey, target: IssuedKey) => Promise<Answer>> = {
  issue: (caller) => service.client.post('/api/apiKeys', pairHeaders(caller), documentedBody),
  update: (caller, target) =>
    service.client.call('PATCH', pathOf(target), { headers: pairHeaders(caller), body: { name: 'changed' } }),
  rotate: (caller, target) => service.client.post(`${pathOf(target)}/rotate`, pairHeaders(caller), {}),
  'rotate itself': (caller) => service.client.post(`${pathOf(caller)}/rotate`, pairHeaders(caller), {}),
  revoke: (caller, target) => service.client.delete(pathOf(target), pairHeaders(caller)),
  cascade: (caller, target) => service.client.delete(`${pathOf(target)}?cascade=true`, pairHeaders(caller)),
};

/** Lets a call authenticate, changes its caller while it waits for the owner's lock, and returns its answer. */
async function whileInFlight(call: () => Promise<Answer>, change: string, caller: IssuedKey): Promise<Answer> {
  // Cached, so that it is authenticated without the embedded database's one session, which is busy below
  expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(caller))).status).toBe(200);
  const waiting = jest.spyOn(service.app.get(KeyTransactions, { strict: false }), 'run');
  // A rotation reads its key first, which has to wait if the database has only one session
  const reading = jest.spyOn(service.app.get(ApiKeysService, { strict: false }), 'get');
  const isLetIn = () => waiting.mock.calls.length + (onServer ? 0 : reading.mock.calls.length) > 0;
  let answer: Promise<Answer> | undefined;
  await dataSource.transaction(async (tx) => {
    await tx.query(`SELECT FROM owners WHERE owner_id = 'ann' FOR UPDATE`);
    answer = call();
    await until(isLetIn, 'the call to be let in');
    await tx.query(`UPDATE api_keys SET ${change} WHERE id = $1`, [caller.id]);
  });
  for (const spy of [waiting, reading]) spy.mockRestore();
  return answer as Promise<Answer>;
}

const HOUR = `interval '1 hour'`;
const REFUSED: [string, string, string][] = [
  ['revoked', `revoked_at = now()`, '401 REVOKED'],
  ['disabled', `enabled = false`, '401 DISABLED'],
  ['not valid yet', `not_before = now() + ${HOUR}`, '401 NOT_YET_VALID'],
  ['expired', `expires_at = now() - ${HOUR}`, '401 EXPIRED'],
  ['kept to another network', `allowed_cidrs = '{10.0.0.0/8}'`, '403 ip_not_allowed'],
  ['no longer an admin key', `scopes = '{"admin": false}'`, '403 insufficient_scope'],
  ['rotated without an overlap', 'secret_generation = secret_generation + 1', '401 INVALID_CREDENTIALS'],
  [
    'rotated, its overlap over',
    `secret_generation = secret_generation + 1, previous_secret_hash = secret_hash, previous_secret_expires_at = now()`,
    '401 INVALID_CREDENTIALS',
  ],
  [
    'rotated twice, the second time with an overlap',
    `secret_generation = secret_generation + 2, previous_secret_hash = secret_hash, previous_secret_expires_at = now() + ${HOUR}`,
    '401 INVALID_CREDENTIALS',
  ],
];
const CASES = REFUSED.flatMap(([state, change, outcome]) =>
  Object.keys(MUTATIONS).map((mutation) => [mutation, state, change, outcome] as const),
);

it.each(CASES)('to %s has no effect once its caller is %s', async (mutation, _, change, outcome) => {
  const [caller, target] = await Promise.all([issueKey(service.client, 'ann'), issueKey(service.client, 'ann')]);
  const [before, total] = [await shown(target), await liveTotal()];
  const answer = await whileInFlight(() => MUTATIONS[mutation]!(caller, target), change, caller);
  expect(outcomeWithReason(answer)).toBe(outcome);
  expect([await shown(target), await liveTotal()]).toEqual([before, total]);
  const [row] = await dataSource.query('SELECT version FROM api_keys WHERE id = $1', [caller.id]);
  expect(row.version).toBe(1);
});

it.each([
  [
    'was rotated, in the overlap',
    `secret_generation = secret_generation + 1, previous_secret_hash = secret_hash, previous_secret_expires_at = now() + ${HOUR}`,
  ],
  ['has had its hash renewed', `secret_hash = secret_hash || ' '`],
  ['was renamed', `name = 'another'`],
])('continues if its caller %s', async (_, change) => {
  const caller = await issueKey(service.client, 'ann');
  const answer = await whileInFlight(() => MUTATIONS['issue']!(caller, caller), change, caller);
  expect(outcomeWithReason(answer)).toBe('200');
});

it.each<[string, object, string]>([
  ['issue', { limits: { rate_limit: { requests: 100, window_seconds: 60 } } }, 'limits.rate_limit'],
  ['rotate', {}, 'limits.rate_limit'],
  ['update', { scopes: { admin: true } }, 'limits.rate_limit'],
])('to %s is bound by the limits that its caller has by then', async (mutation, body, path) => {
  const [caller, target] = await Promise.all([issueKey(service.client, 'ann'), issueKey(service.client, 'ann')]);
  const calls: Record<string, () => Promise<Answer>> = {
    issue: () => service.client.post('/api/apiKeys', pairHeaders(caller), { ...powerlessBody, ...body }),
    rotate: () => service.client.post(`${pathOf(target)}/rotate`, pairHeaders(caller), body),
    update: () => service.client.call('PATCH', pathOf(target), { headers: pairHeaders(caller), body }),
  };
  const change = 'rate_limit_requests = 1, rate_limit_window_seconds = 60';
  const answer = await whileInFlight(calls[mutation]!, change, caller);
  expect(outcomeOf(answer)).toBe('403 exceeds_issuer');
  expect(answer.body.error.details.map((detail: { path: string }) => detail.path)).toEqual([path]);
});

it('passes on a limit that its caller got in the meantime', async () => {
  const caller = await issueKey(service.client, 'ann');
  const change = `allowed_cidrs = '{127.0.0.0/8,10.0.0.0/8}'`;
  const answer = await whileInFlight(() => MUTATIONS['issue']!(caller, caller), change, caller);
  expect(answer.body.data.limits.allowed_cidrs).toEqual(['127.0.0.0/8', '10.0.0.0/8']);
});

it.each(['', '/rotate'])('does not get the stored answer of POST %s once its caller is revoked', async (path) => {
  const [caller, target] = await Promise.all([issueKey(service.client, 'ann'), issueKey(service.client, 'ann')]);
  const headers = { ...pairHeaders(caller), 'idempotency-key': `again ${path}` };
  const call = () =>
    service.client.post(
      path === '' ? '/api/apiKeys' : pathOf(target) + path,
      headers,
      path === '' ? documentedBody : {},
    );
  const secret = issued(await call()).secret_key;
  expect(issued(await call()).secret_key).toBe(secret);
  const asked = jest.spyOn(service.app.get(IdempotentAnswers, { strict: false }), 'once');
  let answer: Promise<Answer> | undefined;
  await dataSource.transaction(async (tx) => {
    await tx.query('LOCK TABLE idempotent_answers IN ACCESS EXCLUSIVE MODE');
    answer = call();
    await until(() => asked.mock.calls.length > 0, 'the call to be let in');
    await tx.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [caller.id]);
  });
  const refused = (await answer) as Answer;
  expect(outcomeWithReason(refused)).toBe('401 REVOKED');
  expect(refused.text).not.toContain(secret);
});
