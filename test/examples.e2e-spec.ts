import { createTestDatabase, type TestDatabase } from './support/database.js';
import { type Example, startExample } from './support/example.js';
import { freePort } from './support/free-port.js';
import { bodyWith, credentialOf, type IssuedKey, issueKey, pairHeaders } from './support/keys.js';
import { firstExample } from './support/package.js';
import { run, type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceToken } from './support/verification.js';

/** `REVOCATION_BOUND_MS`. */
const BOUND_MS = 1_000;
const EXAMPLES = ['express', 'fastify', 'nest'];

const running = new Map<string, Example>();
let database: TestDatabase;
let service: ServiceProcess;
let restart: () => Promise<void>;
let unpinner: IssuedKey;

beforeAll(async () => {
  database = await createTestDatabase();
  const variables = { ...sharedVariables, ...database.variables, PORT: String(await freePort()) };
  restart = async () => {
    service = await startProcess(variables);
  };
  await restart();
  unpinner = await issueKey(service.client, 'owner', bodyWith(['pinning.unpin']));
  for (const name of EXAMPLES) running.set(name, await startExample(name, service.client.url));
});

afterAll(async () => {
  for (const example of running.values()) await example.stop();
  await service.stop();
  await database.drop();
});

const lister = () => issueKey(service.client, 'owner', bodyWith(['data.pin_list']));
const list = (name: string, key: IssuedKey) => clientOf(name).get('/pins', pairHeaders(key));
const unpin = (name: string, key: IssuedKey) => clientOf(name).delete('/pins/Qm1', pairHeaders(key));

function clientOf(name: string) {
  const example = running.get(name);
  if (!example) throw new Error(`${name} has not started`);
  return example.client;
}

describe.each(EXAMPLES)('examples/%s', (name) => {
  it('answers 200 with the scope of the route, 403 without, and 401 without a key', async () => {
    const key = await lister();
    expect(await list(name, key)).toMatchObject({ status: 200, body: { owner: 'owner', pins: [expect.any(String)] } });
    expect(await unpin(name, unpinner)).toMatchObject({ status: 200, body: { unpinned: false } });
    for (const answer of [await list(name, unpinner), await unpin(name, key)])
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'insufficient_scope' } } });
    const error = { code: 'unauthenticated', reason: 'INVALID_CREDENTIALS' };
    expect(await clientOf(name).get('/pins')).toMatchObject({ status: 401, body: { error } });
  });

  it('answers 401, within the bound, to a key that was revoked', async () => {
    const key = await lister();
    expect((await list(name, key)).status).toBe(200);
    await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('owner'));
    const revokedAt = performance.now();
    await until(async () => {
      const sentAt = performance.now();
      const { status } = await list(name, key);
      if (status !== 401) expect([status, sentAt - revokedAt < BOUND_MS]).toEqual([200, true]);
      return status === 401;
    }, 'a 401');
  });
});

it('every example answers 503 with Retry-After, never 401, while the service is away, and recovers', async () => {
  const [known, unknown] = [await lister(), await lister()];
  for (const name of EXAMPLES) expect((await list(name, known)).status).toBe(200);
  await service.stop();
  for (const name of EXAMPLES) {
    // Until then what is known is fresh
    await until(async () => {
      const { status } = await list(name, known);
      expect([200, 503]).toContain(status);
      return status === 503;
    }, `a 503 of ${name}`);
    for (const answer of [await list(name, known), await unpin(name, known), await list(name, unknown)]) {
      expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
  }
  await restart();
  for (const name of EXAMPLES) await until(async () => (await list(name, known)).status === 200, `a 200 of ${name}`);
});

it("the ten lines of the guard's README print a verdict", async () => {
  const key = await lister();
  const code = firstExample('guard').replace('http://127.0.0.1:8000', service.client.url);
  const variables = { API_KEYS_TOKEN: serviceToken, CREDENTIAL: credentialOf(key) };
  const { code: exitCode, stdout, stderr } = await run(['--input-type=module', '--eval', code], variables, '.');
  expect([exitCode, stdout, stderr]).toEqual([0, 'true VALID owner\n', '']);
});
