import { jest } from '@jest/globals';
import { Revocations } from '../src/api-keys/revocation/revocations.js';
import { range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { clockAhead } from './support/clock.js';
import { credentialOf, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import { sessionOf } from './support/sessions.js';
import { pairOf } from './support/verification.js';

const THANKS = {
  message: 'Thank you. If this is the pair of a key, the key has been revoked.',
  status: 'success',
};

const clock = clockAhead();
const service = useService({ TRUSTED_PROXIES: '127.0.0.1' }, clock);
afterEach(() => {
  clock.time += 61_000;
});

const report = (body: unknown) => service.client.post('/api/apiKeys/report-leak', {}, body);
const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const shown = async (key: IssuedKey) => (await service.client.get(pathOf(key), sessionOf('ann'))).body.data;
const patch = (key: IssuedKey, body: object) =>
  service.client.call('PATCH', pathOf(key), { headers: sessionOf('ann'), body });
const rotated = async (key: IssuedKey, overlap: number) =>
  issued(await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), { overlap_seconds: overlap }));

it.each([
  ['spaces', ' ', '  '],
  ['line ends, as they are copied with', '\r\n', '\n'],
  ['tabs and other white space', '\t\u00a0', '\ufeff\u2003'],
  ['quotes', '"', '"'],
  ['its member names and a comma', 'pinning_key = ', ','],
  ['characters of no width', '\u200b', '\u200b'],
  ['more white space than pair', ' '.repeat(200), '\n'.repeat(200)],
])('is accepted with %s around its halves', async (_, before, after) => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const answer = await report({
    api_key: before + key.api_key + after,
    secret_key: before + key.secret_key + after,
  });
  expect([answer.status, answer.body]).toEqual([200, THANKS]);
  expect(await shown(key)).toMatchObject({ status: 'revoked', revoked_reason: 'leaked' });
});

it('is accepted with the whole credential instead of the halves', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await report({ api_key: credentialOf(key), secret_key: credentialOf(key) });
  expect(await shown(key)).toMatchObject({ status: 'revoked', revoked_reason: 'leaked' });
});

it('explains how to split a credential', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const answer = await report({ credential: credentialOf(key) });
  expect([outcomeOf(answer), pathsOf(answer).toSorted()]).toEqual([
    '400 validation_failed',
    ['api_key', 'credential', 'secret_key'],
  ]);
  expect(answer.body.error.details).toContainEqual({
    path: 'credential',
    message: 'is not accepted here: send the part before the dot as api_key, and the part after it as secret_key',
  });
  expect(answer.text).not.toContain(key.secret_key);
});

it('is refused if it is only white space', async () => {
  const answer = await report({ api_key: ' \n', secret_key: '\t' });
  expect([outcomeOf(answer), pathsOf(answer)]).toEqual(['400 validation_failed', ['api_key', 'secret_key']]);
});

it.each([
  ['that was never used', async (key: IssuedKey) => key],
  [
    'in use',
    async (key: IssuedKey) => {
      expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status).toBe(200);
      return key;
    },
  ],
  ['with the secret before a rotation, while it works', async (key: IssuedKey) => (await rotated(key, 60)) && key],
  ['with the secret after a rotation', (key: IssuedKey) => rotated(key, 60)],
  ['that is disabled', async (key: IssuedKey) => (await patch(key, { enabled: false })) && key],
  [
    'that has expired',
    async (key: IssuedKey) => {
      await patch(key, { limits: { expires_at: new Date(clock.time + 1_000).toISOString() } });
      clock.time += 1_000;
      return key;
    },
  ],
  [
    'that is limited to another network',
    async (key: IssuedKey) => (await patch(key, { limits: { allowed_cidrs: ['10.0.0.0/8'] } })) && key,
  ],
])('revokes a key %s', async (_, prepare) => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const found = await prepare(key);
  const answer = await report(pairOf(found));
  expect([answer.status, answer.body]).toEqual([200, THANKS]);
  expect(await shown(key)).toMatchObject({ status: 'revoked', revoked_reason: 'leaked' });
  const used = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(found));
  expect(used.status).toBe(401);

  const query = `/api/apiKeys/events?api_key_id=${key.id}&action=key.revoked`;
  const { events } = (await service.client.get(query, sessionOf('ann'))).body.data;
  expect(events).toMatchObject([{ actor: 'anonymous', ip: '127.0.0.1', changes: { reason: 'leaked' } }]);
});

it('answers the same for an invalid pair, and revokes nothing', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const other = await issueKey(service.client, 'ann', powerlessBody);
  const old = pairOf(other);
  const current = await rotated(other, 0);
  const bad = [
    { ...pairOf(key), secret_key: other.secret_key },
    { ...pairOf(key), secret_key: `w3s_${'a'.repeat(40)}` },
    { api_key: `w3k_${'a'.repeat(20)}`, secret_key: `w3s_${'a'.repeat(40)}` },
    { api_key: 'x', secret_key: 'y' },
    old,
  ];
  for (const pair of bad) {
    const answer = await report(pair);
    expect([answer.status, answer.body]).toEqual([200, THANKS]);
  }
  expect([(await shown(key)).status, (await shown(current)).status]).toEqual(['active', 'active']);
});

it('answers the same a second time, and keeps the first reason', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  await service.client.delete(pathOf(key), sessionOf('ann'));
  for (let time = 0; time < 2; time++) expect((await report(pairOf(key))).body).toEqual(THANKS);
  expect(await shown(key)).toMatchObject({ revoked_reason: 'deleted' });
});

it('does not touch the database for a revoked pair', async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  const revoke = jest.spyOn(service.app.get(Revocations, { strict: false }), 'revokeByIdentifier');
  for (let time = 0; time < 3; time++) expect((await report(pairOf(key))).body).toEqual(THANKS);
  expect(revoke).toHaveBeenCalledTimes(1);
  revoke.mockRestore();
});

describe('the rate', () => {
  const from = (address: string, body: object) =>
    service.client.post('/api/apiKeys/report-leak', { 'x-forwarded-for': address }, body);
  const madeUp = (index: number) => ({ api_key: `w3k_${index}`, secret_key: 'x' });
  const refusalOf = ({ status, headers }: Answer) => [status, headers['ratelimit-policy'], headers['retry-after']];

  it('is 120 a minute from one address, or one IPv6 network, and limits no other', async () => {
    for (const [one, again, other] of [
      ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
      ['2001:db8:0:1::1', '2001:db8::1:ffff:0:0:1', '2001:db8:0:2::1'],
    ] as const) {
      for (const index of range(120)) expect((await from(one, madeUp(index))).status).toBe(200);
      expect(refusalOf(await from(again, madeUp(120)))).toEqual([429, '"address";q=120;w=60', '60']);
      expect((await from(other, madeUp(120))).status).toBe(200);
    }
  });

  it('is 30 a minute for one genuine pair, and further reports of it do not count against the address', async () => {
    const good = pairOf(await issueKey(service.client, 'ann', powerlessBody));
    for (const index of range(30)) expect((await from(`198.51.100.${index}`, good)).status).toBe(200);
    for (const _ of range(120)) expect(refusalOf(await from('203.0.113.1', good))[1]).toBe('"pair";q=30;w=60');
    expect((await from('203.0.113.1', madeUp(2))).status).toBe(200);
  });
});

it.each([
  [{}, ['api_key', 'secret_key']],
  [{ api_key: '', secret_key: 'x'.repeat(101) }, ['api_key', 'secret_key']],
  [{ api_key: 1, secret_key: ['x'] }, ['api_key', 'secret_key']],
  [{ api_key: 'x', secret_key: 'y', found_at: 'z' }, ['found_at']],
])('refuses %j by its paths', async (body, paths) => {
  const answer = await report(body);
  expect(outcomeOf(answer)).toBe('400 validation_failed');
  expect(pathsOf(answer).toSorted()).toEqual(paths);
});
