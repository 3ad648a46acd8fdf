import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { documentedBody, issued, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { run, sharedVariables } from './support/process.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const MOST = 5;
const variables = { ...sharedVariables, MAX_KEYS_PER_OWNER: String(MOST) };

const service = useService(variables);

const issueBy = (headers: Record<string, string>) => service.client.post('/api/apiKeys', headers, powerlessBody);

it(`lets an owner have ${MOST} keys that are not revoked, however many are requested at once`, async () => {
  const answers: Answer[] = [];
  await runConcurrently(4, range(12), async () => void answers.push(await issueBy(sessionOf('ann'))));
  const counts = new Map<string, number>();
  for (const outcome of answers.map(outcomeOf)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toEqual({ '200': MOST, '403 key_limit_reached': 12 - MOST });
  const { total } = (await service.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data;
  expect(total).toBe(MOST);
  const refusal = answers.find(({ status }) => status === 403)?.body.error;
  expect(refusal.message).toContain(String(MOST));
  expect(refusal.message).toContain('MAX_KEYS_PER_OWNER');
});

it('allows another one for each deletion, and does not limit other owners', async () => {
  const keys = [];
  for (const _ of range(MOST)) keys.push(await issueKey(service.client, 'bob'));
  const [admin, deleted] = keys as [(typeof keys)[0], (typeof keys)[0]];
  expect(outcomeOf(await issueBy(pairHeaders(admin)))).toBe('403 key_limit_reached');
  // Changes that add no key still work
  expect((await service.client.post(`/api/apiKeys/${admin.id}/rotate`, sessionOf('bob'), {})).status).toBe(200);
  expect((await service.client.delete(`/api/apiKeys/${deleted.id}`, sessionOf('bob'))).status).toBe(200);
  expect(outcomeOf(await issueBy(sessionOf('bob')))).toBe('200');
  expect(outcomeOf(await issueBy(sessionOf('bob')))).toBe('403 key_limit_reached');
  expect(outcomeOf(await issueBy(sessionOf('carl')))).toBe('200');
});

it('applies to an operator, who can raise it for one command', async () => {
  for (const _ of range(MOST)) await issueKey(service.client, 'dora');
  const issueAdmin = (most: number) =>
    run(['dist/cli.js', 'issue-admin', '--owner', 'dora', '--json'], {
      ...variables,
      ...service.database.variables,
      MAX_KEYS_PER_OWNER: String(most),
    });
  const refused = await issueAdmin(MOST);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('MAX_KEYS_PER_OWNER');
  const taken = await issueAdmin(MOST + 1);
  expect(taken.code).toBe(0);
  const pair = JSON.parse(taken.stdout) as ReturnType<typeof issued>;
  expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(pair))).status).toBe(200);
});

it('returns a stored answer, even if no more keys may be issued', async () => {
  const headers = { ...sessionOf('emil'), 'idempotency-key': 'once' };
  const first = await service.client.post('/api/apiKeys', headers, documentedBody);
  for (const _ of range(MOST - 1)) await issueKey(service.client, 'emil');
  expect((await service.client.post('/api/apiKeys', headers, documentedBody)).text).toBe(first.text);
  expect(outcomeOf(await issueBy({ ...headers, 'idempotency-key': 'another' }))).toBe('403 key_limit_reached');
  // No claim was left behind
  expect(outcomeOf(await issueBy({ ...headers, 'idempotency-key': 'another' }))).toBe('403 key_limit_reached');
});
