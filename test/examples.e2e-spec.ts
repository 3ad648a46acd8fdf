import { createTestDatabase } from './support/database.js';
import { startExample } from './support/example.js';
import { freePort } from './support/free-port.js';
import { type IssuedKey, bodyWith, issueKey, pairHeaders } from './support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import type { Answer } from './support/client.js';
import { until } from './support/until.js';

/** `REVOCATION_BOUND_MS`. */
const BOUND_MS = 1_000;

describe.each(['express', 'fastify', 'nest'])('examples/%s', (name) => {
  let service: ServiceProcess;
  let example: Awaited<ReturnType<typeof startExample>>;
  let lister: IssuedKey;
  let unpinner: IssuedKey;
  let restart: () => Promise<void>;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const database = await createTestDatabase();
    drop = () => database.drop();
    const variables = { ...sharedVariables, ...database.variables, PORT: String(await freePort()) };
    restart = async () => {
      service = await startProcess(variables);
    };
    await restart();
    lister = await issueKey(service.client, 'owner', bodyWith(['data.pin_list']));
    unpinner = await issueKey(service.client, 'owner', bodyWith(['pinning.unpin']));
    example = await startExample(name, service.client.url);
  });

  afterAll(async () => {
    await example.stop();
    await service.stop();
    await drop();
  });

  const list = (key: IssuedKey) => example.client.get('/pins', pairHeaders(key));
  const unpin = (key: IssuedKey) => example.client.delete('/pins/Qm1', pairHeaders(key));

  it('answers 200 with the scope of the route, 403 without, and 401 without a key', async () => {
    expect(await list(lister)).toMatchObject({ status: 200, body: { owner: 'owner', pins: [expect.any(String)] } });
    expect(await unpin(unpinner)).toMatchObject({ status: 200, body: { unpinned: false } });
    for (const answer of [await list(unpinner), await unpin(lister)])
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'insufficient_scope' } } });
    expect(await example.client.get('/pins')).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthenticated' } },
    });
  });

  it('answers 503 with Retry-After, never 401, while the service is away, and recovers', async () => {
    await service.stop();
    const statuses = new Set<number>();
    let refused: Answer | undefined;
    await until(async () => {
      const answer = await list(lister);
      statuses.add(answer.status);
      if (answer.status === 503) refused = answer;
      return refused !== undefined;
    }, 'a 503');
    expect(refused).toMatchObject({
      headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) },
      body: { error: { code: 'unavailable' } },
    });
    // Nor for a pair that is not known
    statuses.add((await unpin(lister)).status).add((await unpin(unpinner)).status);
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await restart();
    await until(async () => (await list(lister)).status === 200, 'a 200');
  });

  it('answers 401, within the bound, to a key that was revoked', async () => {
    expect((await list(lister)).status).toBe(200);
    const { status } = await service.client.delete(`/api/apiKeys/${lister.id}`, sessionOf('owner'));
    expect(status).toBe(200);
    const revokedAt = performance.now();
    await until(async () => {
      const sentAt = performance.now();
      const answer = await list(lister);
      // What is decided later was asked no earlier
      if (answer.status === 200) expect(sentAt - revokedAt).toBeLessThan(BOUND_MS);
      return answer.status === 401;
    }, 'a 401');
  });
});
