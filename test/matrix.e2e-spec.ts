import { clockAhead } from './support/clock.js';
import { documentedBody, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf } from './support/verification.js';

/**
 * Who may call what on the keys of `ann`: `nobody` presents nothing, `token` and `pair` are invalid, `session` and
 * `admin` are hers, `stranger` and `s-admin` those of another owner; `plain` is a key of hers without `admin`,
 * the last three are admin keys of hers.
 */
const MATRIX = `
                                   nobody token pair session stranger admin s-admin plain expired disabled revoked
  POST   /api/apiKeys                 401   401  401     200      200   200     200   403     401      401     401
  GET    /api/apiKeys/list            401   401  401     200      200   200     200   403     401      401     401
  GET    /api/apiKeys/events          401   401  401     200      200   200     200   403     401      401     401
  GET    /api/apiKeys/:id             401   401  401     200      404   200     404   403     401      401     401
  GET    /api/apiKeys/:id/usage       401   401  401     200      404   200     404   403     401      401     401
  PATCH  /api/apiKeys/:id             401   401  401     200      404   200     404   403     401      401     401
  POST   /api/apiKeys/:id/rotate      401   401  401     200      404   200     404   403     401      401     401
  DELETE /api/apiKeys/:id             401   401  401     200      404   200     404   403     401      401     401
  GET    /api/apiKeys/testAuthentication
                                      401   401  401     200      200   200     200   200     401      401     401
  POST   /api/apiKeys/report-leak     200   200  200     200      200   200     200   200     200      200     200
  POST   /api/apiKeys/verify          401   401  401     401      401   401     401   401     401      401     401
  POST   /api/apiKeys/verify/batch    401   401  401     401      401   401     401   401     401      401     401
  GET    /api/apiKeys/changes         401   401  401     401      401   401     401   401     401      401     401
  POST   /api/apiKeys/reports         401   401  401     401      401   401     401   401     401      401     401
`;

const [callers = [], ...rows] = MATRIX.replaceAll(/(\/\w+)\n +(?=\d)/g, '$1 ')
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/ +/));
const cells = rows.flatMap(([method = '', path = '', ...statuses]) =>
  statuses.map((status, index) => [method, path, callers[index] as string, Number(status)] as const),
);

const clock = clockAhead();
let headersOf: Record<string, Record<string, string>>;
let target: IssuedKey;
const service = useService({}, clock);
beforeAll(async () => {
  const admin = (owner: string, more = {}) => issueKey(service.client, owner, { ...documentedBody, ...more });
  const expires_at = new Date(clock.time + 1_000).toISOString();
  const [disabled, revoked] = [await admin('ann'), await admin('ann')];
  headersOf = {
    nobody: {},
    token: { authorization: 'Bearer made.up.token' },
    pair: { pinning_api_key: `w3k_${'a'.repeat(20)}`, pinning_secret_key: `w3s_${'a'.repeat(40)}` },
    session: sessionOf('ann'),
    stranger: sessionOf('bob'),
    admin: pairHeaders(await admin('ann')),
    's-admin': pairHeaders(await admin('bob')),
    plain: pairHeaders(await issueKey(service.client, 'ann', powerlessBody)),
    expired: pairHeaders(await admin('ann', { limits: { expires_at } })),
    disabled: pairHeaders(disabled),
    revoked: pairHeaders(revoked),
  };
  clock.time += 1_000;
  const headers = sessionOf('ann');
  await service.client.call('PATCH', `/api/apiKeys/${disabled.id}`, { headers, body: { enabled: false } });
  await service.client.delete(`/api/apiKeys/${revoked.id}`, headers);
});
beforeEach(async () => {
  target = await issueKey(service.client, 'ann', powerlessBody);
});

const tagOf = async () => (await service.client.get(`/api/apiKeys/${target.id}`, sessionOf('ann'))).headers.etag;

/** A valid body for the operation. */
function bodyFor(method: string, path: string): object | undefined {
  if (method === 'PATCH') return { name: 'changed' };
  if (method !== 'POST') return undefined;
  if (path.endsWith('rotate')) return {};
  if (path.endsWith('report-leak')) return { api_key: 'w3k_made_up', secret_key: 'w3s_made_up' };
  if (path.endsWith('verify')) return pairOf(target);
  if (path.endsWith('reports')) return { guard: 'g'.repeat(22), seq: 1, counts: [] };
  return path.endsWith('batch') ? { requests: [pairOf(target)] } : powerlessBody;
}

it.each(cells)('%s %s answers %s with %d', async (method, path, caller, status) => {
  const before = await tagOf();
  const headers = headersOf[caller] as Record<string, string>;
  const body = bodyFor(method, path);
  const answer = await service.client.call(method, path.replace(':id', target.id), { headers, body });
  expect(answer.status).toBe(status);
  if (status >= 400) expect(await tagOf()).toBe(before);
  if (status === 401) expect(answer.headers['www-authenticate']).toBeDefined();
});

it('covers every endpoint', async () => {
  const { body: document } = await service.client.get('/openapi.json');
  const documented = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('{id}', ':id')}`),
  );
  const ours = documented.filter((one) => one.includes(' /api/apiKeys') && !one.endsWith('/authorize'));
  expect(rows.map(([method, path]) => `${method} ${path}`).toSorted()).toEqual(ours.toSorted());
});
