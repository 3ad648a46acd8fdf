import { connect } from 'node:net';
import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { mintApiKey, mintSecretKey } from '../src/api-keys/credentials/credentials.js';
import { CredentialKeyring } from '../src/api-keys/credentials/credential-keyring.js';
import { KeySearch } from '../src/api-keys/search/key-search.js';
import { Verifier } from '../src/verification/verifier.js';
import { inBackground } from '../src/background/background.js';
import { LoadShedding } from '../src/http/load/load-shedding.js';
import { range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { onServer } from './support/database.js';
import { issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { startService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

/** The caps of concurrent requests of each kind. */
const MAX_MANAGEMENT = 100;
const MAX_READ = 1_000;
const TOO_MANY = 50;
const BATCH = 100;
/** Of these, as many are one owner's, and as many wait for their turn; as many come from one address. */
const OF_ONE_OWNER = 4;
const WAITING_OF_ONE_OWNER = 100;
const OF_ONE_ADDRESS = 20;
const ARRIVING_FROM_ONE_ADDRESS = 500;

const service = useService({ ...serviceVariables, TRUSTED_PROXIES: '127.0.0.1' });
afterEach(() => jest.restoreAllMocks());

/** Runs `act` while the keys in the database are locked. */
async function whileKeysAreLocked(act: (release: () => void) => Promise<void>): Promise<void> {
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

/** Sends this many requests. @returns those answered while nothing could be read */
async function ask(
  times: number,
  call: () => Promise<Answer>,
  isEnough: (early: Answer[]) => boolean | Promise<boolean>,
) {
  const early: Answer[] = [];
  let all: Answer[] = [];
  await whileKeysAreLocked(async (release) => {
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

/** A call of an owner, from an address in the proxy's header. */
const listAs = (owner: string, address: string) =>
  service.client.get('/api/apiKeys/list', { ...sessionOf(owner), 'x-forwarded-for': address });

it(`rejects management requests over ${MAX_MANAGEMENT} at once, but not verification`, async () => {
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  let verdict: Answer | undefined;
  let caller = 0;
  for (const one of range(MAX_MANAGEMENT + TOO_MANY)) sessionOf(`owner ${one}`);
  const { early, all } = await ask(
    MAX_MANAGEMENT + TOO_MANY,
    () => listAs(`owner ${caller}`, `192.0.2.${caller++}`),
    (refused) => {
      if (refused.length < TOO_MANY) return false;
      // The embedded database has one session: while that waits, changes cannot be polled either
      if (!onServer) return true;
      const verified = verify(service.client, key).then((answer) => (verdict = answer));
      inBackground('Verifying', verified);
      return verdict !== undefined;
    },
  );
  expect(early).toHaveLength(TOO_MANY);
  expectRefused(early);
  expect(verdict?.body.data.code).toBe(onServer ? 'VALID' : undefined);
  expect(all.filter(({ status }) => status === 200)).toHaveLength(MAX_MANAGEMENT);

  const shed = await metricOf(service.client, 'w3ipfs_keys_requests_shed_total{kind="management"}');
  expect([shed, await underWay()]).toEqual([TOO_MANY, 0]);
  expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status).toBe(200);
});

it.each([
  {
    who: 'an owner',
    of: (one: number) => ['carl', `198.51.100.${one % 250}`] as const,
    places: OF_ONE_OWNER,
    taken: OF_ONE_OWNER + WAITING_OF_ONE_OWNER,
  },
  {
    who: 'an address',
    of: (one: number) => [`owner ${one % TOO_MANY}`, '203.0.113.7'] as const,
    places: OF_ONE_ADDRESS,
    taken: OF_ONE_ADDRESS + ARRIVING_FROM_ONE_ADDRESS,
  },
  {
    who: 'a network of IPv6',
    of: (one: number) => [`owner ${one % TOO_MANY}`, `2001:db8:0:1:${one}::1`] as const,
    places: OF_ONE_ADDRESS,
    taken: OF_ONE_ADDRESS + ARRIVING_FROM_ONE_ADDRESS,
  },
])('gives $who a share of the capacity, in turn, and rejects further requests as its own excess', async (share) => {
  const callers = range(share.taken + TOO_MANY).map((one) => share.of(one));
  for (const [owner] of callers) sessionOf(owner ?? '');
  const gate = holdLists();
  const early: Answer[] = [];
  const call = ([owner = '', address = '']: readonly string[]) =>
    listAs(owner, address).then((answer) => (early.push(answer), answer));
  const calls = callers.slice(0, share.places).map(call);
  await until(async () => (await underWay()) === share.places, 'the share to be taken');
  calls.push(...callers.slice(share.places).map(call));
  await until(() => early.length >= TOO_MANY, 'further ones to be refused');
  expect([early.length, await underWay()]).toEqual([TOO_MANY, share.places]);
  for (const { status, headers, body } of early) {
    expect([status, body.error.code, headers['retry-after']]).toEqual([429, 'rate_limited', '1']);
    expect(headers['ratelimit-policy']).toMatch(/^"concurrency";q=\d+;qu="concurrent-requests"$/);
  }
  const other = listAs('somebody else', '192.0.2.1');
  await until(async () => (await underWay()) > share.places, 'another to get a place');
  gate.open();
  expect((await other).status).toBe(200);
  expect((await Promise.all(calls)).filter(({ status }) => status === 200)).toHaveLength(share.taken);
  expect(await underWay()).toBe(0);
});

it("lets no revocation wait behind any number of an owner's reads", async () => {
  const [stolen, other] = [await issueKey(service.client, 'erin'), await issueKey(service.client, 'erin')];
  const gate = holdLists();
  const lists = range(OF_ONE_OWNER + WAITING_OF_ONE_OWNER).map((one) => listAs('erin', `198.51.100.${one}`));
  await until(async () => (await underWay()) === OF_ONE_OWNER, 'the reads to be under way');
  const session = { ...sessionOf('erin'), 'x-forwarded-for': '192.0.2.1' };
  expect((await service.client.delete(`/api/apiKeys/${other.id}`, session)).status).toBe(200);
  const pair = { api_key: stolen.api_key, secret_key: stolen.secret_key };
  expect((await service.client.post('/api/apiKeys/report-leak', {}, pair)).status).toBe(200);
  expect((await verify(service.client, stolen)).body.data.code).toBe('REVOKED');
  gate.open();
  await Promise.all(lists);
});

/** Blocks all lists until it is opened; they are then empty, and cost the database no time. */
function holdLists(): { open(): void } {
  const keySearch = service.app.get(KeySearch, { strict: false });
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  jest.spyOn(keySearch, 'find').mockImplementation(async () => {
    await opened;
    return { total: 0, apiKeys: [], next: null };
  });
  return { open };
}

it('does not charge a rejected call to any rate', async () => {
  const variables = { ...serviceVariables, MANAGEMENT_RATE_LIMIT: String(OF_ONE_OWNER + WAITING_OF_ONE_OWNER + 1) };
  const limited = await startService(variables);
  const remaining = (answer: Answer | undefined) =>
    /"management";r=(\d+)/.exec(String(answer?.headers['ratelimit']))?.[1];
  const list = () => limited.client.get('/api/apiKeys/list', sessionOf('dora'));
  try {
    const shedding = limited.app.get(LoadShedding, { strict: false });
    const held = await Promise.all(range(OF_ONE_OWNER).map(() => shedding['managementByOwner'].acquire('read:dora')));
    const waiting = range(WAITING_OF_ONE_OWNER).map(list);
    const refused = () => list().then((answer) => answer.headers['ratelimit-policy']?.includes('concurrency'));
    await until(async () => (await refused()) ?? false, 'too many to wait');
    for (const release of held) release();
    await Promise.all(waiting);
    expect(remaining(await list())).toBe(String(OF_ONE_OWNER));
  } finally {
    await limited.stop();
  }
});

it('refuses a caller over its rate before it occupies capacity', async () => {
  const limited = await startService({ ...serviceVariables, MANAGEMENT_RATE_LIMIT: '1' });
  const list = () => limited.client.get('/api/apiKeys/list', sessionOf('dora'));
  try {
    const shedding = limited.app.get(LoadShedding, { strict: false });
    const held = await Promise.all(range(OF_ONE_OWNER).map(() => shedding['managementByOwner'].acquire('read:dora')));
    const first = list();
    const second = await list();
    expect([second.status, second.headers['ratelimit-policy']]).toEqual([
      429,
      '"management";q=1;w=60, "owner";q=5;w=60',
    ]);
    for (const release of held) release();
    expect((await first).status).toBe(200);
  } finally {
    await limited.stop();
  }
});

it('releases the capacity of clients that disconnect before they are answered, in any way', async () => {
  const { hostname, port } = new URL(service.client.url);
  const list = `GET /api/apiKeys/list HTTP/1.1\r\nHost: x\r\nAuthorization: ${sessionOf('ann').authorization}\r\n\r\n`;
  await whileKeysAreLocked(async (release) => {
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
  expect(await underWay()).toBe(0);
});

function underWay(): Promise<number> {
  return metricOf(service.client, 'w3ipfs_keys_requests_under_way{kind="management"}');
}

const unknownPair = () => {
  const { keys } = service.app.get(CredentialKeyring, { strict: false });
  const api_key = mintApiKey();
  return { api_key, secret_key: mintSecretKey(api_key, keys) };
};
const verifyUnknown = () => service.client.post('/api/apiKeys/verify', serviceHeaders, unknownPair());
const verifyBatch = (headers: object = {}) => {
  const body = { requests: range(BATCH).map(unknownPair) };
  return service.client.post('/api/apiKeys/verify/batch', { ...serviceHeaders, ...headers }, body);
};

it(`rejects keys that are not cached, beyond ${MAX_READ} that are being read`, async () => {
  const verifier = service.app.get(Verifier, { strict: false });
  const need = { scopes: [], ip: undefined, cost: 1 };
  await whileKeysAreLocked(async (release) => {
    const pairs = range(MAX_READ).map(unknownPair);
    const read = pairs.map(async ({ api_key, secret_key }) =>
      verifier.verify({ apiKey: api_key, secretKey: secret_key }, need),
    );
    const settled = Promise.allSettled(read);
    expectRefused([await verifyUnknown()]);
    release();
    await settled;
  });
  const { body } = await verifyBatch();
  expect(new Set(body.data.verdicts.map(({ code }: { code: string }) => code))).toEqual(
    new Set(['INVALID_CREDENTIALS']),
  );
});

it.each([
  ['in the direct lane', {}],
  ['by the ordinary way', { 'content-type': 'application/json; charset="utf-8"' }],
])('weighs a batch by its requests %s, and limits batches to half of the capacity', async (_, headers) => {
  const verifying = () => metricOf(service.client, 'w3ipfs_keys_requests_under_way{kind="verification"}');
  const most = 5_000;
  let weight = 0;
  const batches = most / BATCH + 1;
  const { early, all } = await ask(
    batches,
    () => verifyBatch(headers),
    async ({ length }) => {
      weight = await verifying();
      return length > 0 && weight === most;
    },
  );
  expect([early.length, weight]).toEqual([1, most]);
  expectRefused(early);
  // The others are decided, request by request: while none can be read, some time out
  expect(all.filter(({ status }) => status === 200)).toHaveLength(batches - 1);
  expect(await verifying()).toBe(0);
});
