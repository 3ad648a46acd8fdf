import { connect } from 'node:net';
import { DataSource } from 'typeorm';
import { mintApiKey, mintSecretKey } from '../src/api-keys/credentials.js';
import { ENVIRONMENT, type Environment } from '../src/config/environment.js';
import { Verifier } from '../src/verification/verifier.js';
import { inBackground } from '../src/contract/background.js';
import { range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { onServer } from './support/database.js';
import { issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

/** As many of each kind may be under way. */
const MOST_MANAGEMENT = 100;
const MOST_READ = 1_000;
const TOO_MANY = 50;
const BATCH = 100;

let service: TestService;
beforeAll(async () => {
  service = await startService(serviceVariables);
});
afterAll(() => service.stop());

/** While nobody gets at the keys in the database. */
async function whileKeysAreHeld(act: (release: () => void) => Promise<void>): Promise<void> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let acting: Promise<void> | undefined;
  await service.app.get(DataSource).transaction(async (tx) => {
    await tx.query('LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
    acting = act(release);
    await Promise.race([released, acting]);
  });
  await acting;
}

/** Asks as often, and says which were answered while nothing could be read. */
async function ask(times: number, call: () => Promise<Answer>, isEnough: (early: Answer[]) => boolean) {
  const early: Answer[] = [];
  let all: Answer[] = [];
  await whileKeysAreHeld(async (release) => {
    const calls = range(times).map(() => call().then((answer) => (early.push(answer), answer)));
    await until(() => isEnough(early), 'the first to be refused');
    const refused = early.length;
    release();
    all = await Promise.all(calls);
    early.length = refused;
  });
  return { early, all };
}

function expectRefused(answers: Answer[]): void {
  for (const { status, headers, body } of answers)
    expect([status, body.error.code, headers['retry-after']]).toEqual([503, 'unavailable', '1']);
}

it(`refuses management at once, beyond ${MOST_MANAGEMENT} requests under way, and verification not`, async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  let verdict: Answer | undefined;
  const session = sessionOf('ann');
  const { early, all } = await ask(
    MOST_MANAGEMENT + TOO_MANY,
    () => service.client.get('/api/apiKeys/list', session),
    (refused) => {
      if (refused.length < TOO_MANY) return false;
      // The embedded database is one session: while it waits, changes cannot be looked for either
      if (!onServer) return true;
      const verified = verify(service.client, key).then((answer) => (verdict = answer));
      inBackground('Verifying', verified);
      return verdict !== undefined;
    },
  );
  expect(early).toHaveLength(TOO_MANY);
  expectRefused(early);
  if (onServer) expect(verdict?.body.data.code).toBe('VALID');
  expect(all.filter(({ status }) => status === 200)).toHaveLength(MOST_MANAGEMENT);

  const shed = await metricOf(service.client, 'w3ipfs_keys_requests_shed_total{kind="management"}');
  expect([shed, await underWay()]).toEqual([TOO_MANY, 0]);
  expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status).toBe(200);
});

it('forgets those who go away before they are answered, in whatever way', async () => {
  const { hostname, port } = new URL(service.client.url);
  const list = `GET /api/apiKeys/list HTTP/1.1\r\nHost: x\r\nAuthorization: ${sessionOf('ann').authorization}\r\n\r\n`;
  await whileKeysAreHeld(async (release) => {
    for (const requests of [
      list,
      list.repeat(20),
      `${'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5)}${list.repeat(20)}`,
    ]) {
      const socket = connect(Number(port), hostname);
      await new Promise<void>((resolve) => socket.write(requests, () => resolve()));
      await until(async () => (await underWay()) > 0, 'the requests to be under way');
      socket.destroy();
    }
    release();
  });
  await until(async () => (await underWay()) === 0, 'none to be under way');
});

function underWay(): Promise<number> {
  return metricOf(service.client, 'w3ipfs_keys_requests_under_way{kind="management"}');
}

it(`refuses keys that are not known yet, beyond ${MOST_READ} that are being read`, async () => {
  const { credentialKeys } = service.app.get<Environment>(ENVIRONMENT, { strict: false });
  const unknownPair = () => {
    const api_key = mintApiKey();
    return { api_key, secret_key: mintSecretKey(api_key, credentialKeys) };
  };
  const batch = () =>
    service.client.post('/api/apiKeys/verify/batch', serviceHeaders, { requests: range(BATCH).map(unknownPair) });
  const { early } = await ask(MOST_READ / BATCH + 1, batch, ({ length }) => length > 0);
  expect(early).toHaveLength(1);
  expectRefused(early);
  const { body } = await batch();
  expect(new Set(body.data.verdicts.map(({ code }: { code: string }) => code))).toEqual(
    new Set(['INVALID_CREDENTIALS']),
  );
});

it('leaves nothing that it has begun to nobody, though it refuses the rest of a batch', async () => {
  const { credentialKeys } = service.app.get<Environment>(ENVIRONMENT, { strict: false });
  const verifier = service.app.get(Verifier, { strict: false });
  const requests = range(MOST_READ + TOO_MANY).map(() => {
    const apiKey = mintApiKey();
    const pair = { apiKey, secretKey: mintSecretKey(apiKey, credentialKeys) };
    return { pair, need: { scopes: [], ip: undefined, cost: 1 } };
  });
  // Thrown at once, it would leave what was begun to nobody, and a failure there would end the process
  await expect(Promise.resolve(verifier.verifyInOrder(requests))).rejects.toThrow('Too many keys');
});
