import { issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

let service: TestService;
beforeAll(async () => {
  service = await startService(serviceVariables);
});
afterAll(() => service.stop());

it('tells services alone', async () => {
  const { status, body } = await service.client.get('/metrics');
  expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
});

it('counts verdicts, look-ups and requests, and names nobody', async () => {
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
