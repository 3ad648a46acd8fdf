import { DataSource } from 'typeorm';
import { VERSION } from '../src/config/version.js';
import { ExpiringKeys } from '../src/operations/telemetry/expiring-keys.js';
import { issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { useService } from './support/service.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const service = useService(serviceVariables);

it('are for services only', async () => {
  const { status, body } = await service.client.get('/metrics');
  expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
});

it('ignore the parameters that scrapers add', async () => {
  expect((await service.client.get('/metrics?x=1', serviceHeaders)).status).toBe(200);
});

it('count verdicts, look-ups and requests, without identities', async () => {
  const key = await issueKey(service.client, 'an-owner-by-name', { ...powerlessBody, limits: { max_uses: 2 } });
  for (const code of ['VALID', 'VALID', 'USAGE_EXCEEDED']) {
    expect((await verify(service.client, key)).body.data.code).toBe(code);
  }
  await verify(service.client, { ...key, secret_key: `w3s_${'a'.repeat(40)}` });
  await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));

  const { headers, text } = await service.client.get('/metrics', serviceHeaders);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`w3ipfs_keys_${name} `))
        ?.split(' ')[1],
    );
  const requests = (route: string) =>
    value(`http_request_duration_seconds_count{method="POST",route="${route}",status="200"}`);
  expect({
    valid: value('verdicts_total{code="VALID"}'),
    spent: value('verdicts_total{code="USAGE_EXCEEDED"}'),
    invalid: value('verdicts_total{code="INVALID_CREDENTIALS"}'),
    read: value('key_lookups_total{result="read"}'),
    madeUp: value('key_lookups_total{result="made_up"}'),
    known: value('known_keys'),
    verified: requests('/api/apiKeys/verify'),
    issued: requests('/api/apiKeys'),
    commits: value('use_commit_duration_seconds_count'),
  }).toEqual({ valid: 2, spent: 1, invalid: 1, read: 1, madeUp: 1, known: 1, verified: 4, issued: 1, commits: 3 });
  expect(value('change_feed_age_seconds')).toBeGreaterThanOrEqual(0);
  for (const secret of [key.id, key.api_key, key.secret_key, 'an-owner-by-name']) expect(text).not.toContain(secret);
});

it('report the running release, and completed housekeeping', async () => {
  expect(await metricOf(service.client, `w3ipfs_keys_build_info{version="${VERSION}"}`)).toBe(1);
  expect(await metricOf(service.client, 'w3ipfs_keys_revocation_bound_seconds')).toBe(1);
  const runs = (result: string) => metricOf(service.client, `w3ipfs_keys_housekeeping_runs_total{result="${result}"}`);
  await until(async () => (await runs('done')) === 1, 'the first run');
  expect(await runs('failed')).toBe(0);
});

it('count the keys in use that expire within a week', async () => {
  const inDays = (days: number) => ({ expires_at: new Date(Date.now() + days * 86_400_000).toISOString() });
  const issue = (limits: object) => issueKey(service.client, 'ann', { ...powerlessBody, limits });
  const [soon, late, endless] = [await issue(inDays(6)), await issue(inDays(8)), await issue({})];
  // Not in use
  await issue(inDays(6));
  const used = [soon, late, endless].map(({ id }) => id);
  const { app } = service;
  await app.get(DataSource).query('UPDATE api_keys SET last_used_at = now() WHERE id = ANY($1)', [used]);
  await app.get(ExpiringKeys, { strict: false }).recount();
  expect(await metricOf(service.client, 'w3ipfs_keys_expiring_keys')).toBe(1);
});

it('are compressed on request', async () => {
  const ask = (encoding: string) =>
    fetch(`${service.client.url}/metrics`, { headers: { ...serviceHeaders, 'accept-encoding': encoding } });
  const [zipped, plain] = [await ask('gzip'), await ask('identity')];
  const coding = (answer: Response) => [answer.headers.get('content-encoding'), answer.headers.get('vary')];
  expect([coding(zipped), coding(plain)]).toEqual([
    ['gzip', 'Accept-Encoding'],
    [null, 'Accept-Encoding'],
  ]);
  expect(await zipped.text()).toContain('w3ipfs_keys_build_info');
  expect(await plain.text()).toContain('w3ipfs_keys_build_info');
});
