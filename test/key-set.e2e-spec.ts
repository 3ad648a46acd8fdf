import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { range } from './support/at-once.js';
import { clockAhead, type TestClock } from './support/clock.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { freePort } from './support/free-port.js';
import { trackSecret } from './support/log.js';
import { type SmallServer, startServer } from './support/platform.js';
import { startProcess } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { secondsFromNow } from './support/sessions.js';
import { until } from './support/until.js';

const TEST = '/api/apiKeys/testAuthentication';
const AUTHORIZE = '/api/apiKeys/authorize?scope=admin';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
/** As the account service publishes its keys and signs with them: without a key id. */
const jwk = (key: KeyObject) => key.export({ format: 'jwk' });
const session = ({ privateKey }: { privateKey: KeyObject }, keyid?: string) => {
  const claims = { sub: 'ann', exp: secondsFromNow(600) };
  const token = jwt.sign(claims, privateKey, { algorithm: 'RS256', ...(keyid !== undefined && { keyid }) });
  return { authorization: `Bearer ${token}` };
};
const [first, second, stranger] = [rsa(), rsa(), rsa()];

let keys: object[] | undefined;
let fetches: IncomingHttpHeaders[];
let accounts: SmallServer;
beforeEach(async () => {
  keys = [jwk(first.publicKey)];
  fetches = [];
  accounts = await startServer((request, response) => {
    fetches.push(request.headers);
    if (keys) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    else response.writeHead(503).end();
  });
});
afterEach(() => accounts.stop());

describe('a key set', () => {
  let service: TestService;
  let clock: TestClock;
  let errors: jest.Spied<Logger['error']>;
  beforeEach(async () => {
    errors = jest.spyOn(Logger.prototype, 'error');
    clock = clockAhead();
    service = await startService({ JWT_JWKS_URL: `http://${accounts.address}/jwks` }, undefined, clock);
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await service.stop();
  });
  /** On the ordinary path and on the fast path. */
  const statuses = async (headers: { authorization: string }) => [
    (await service.client.get(TEST, headers)).status,
    (await service.client.get(AUTHORIZE, headers)).status,
  ];
  const ready = async () => {
    const { status, body } = await service.client.get('/health/ready');
    return [status, body.details ?? body.error?.details];
  };

  it('that rotates while it is cached is fetched for tokens of its new key without a kid', async () => {
    expect(await statuses(session(first))).toEqual([200, 200]);
    keys = [jwk(second.publicKey), jwk(first.publicKey)];
    clock.time += 5_000;
    expect(await statuses(session(second))).toEqual([200, 200]);
    expect(await statuses(session(first))).toEqual([200, 200]);
    keys = [jwk(second.publicKey)];
    clock.time += 60_001;
    expect(await statuses(session(first))).toEqual([401, 401]);
    expect(await statuses(session(second))).toEqual([200, 200]);
  });

  it('is not fetched repeatedly for a flood of forged tokens, nor for any of another algorithm', async () => {
    expect(await statuses(session(first))).toEqual([200, 200]);
    for (const [at, count] of [
      [0, 1],
      [5_000, 2],
      [9_000, 2],
      [10_000, 3],
    ] as const) {
      clock.time += at === 5_000 ? 5_000 : at === 9_000 ? 4_000 : at === 10_000 ? 1_000 : 0;
      const flood = range(60).map((index) => statuses(session(stranger, index % 2 === 0 ? undefined : `${index}`)));
      expect(new Set((await Promise.all(flood)).flat())).toEqual(new Set([401]));
      expect(await statuses(session(first))).toEqual([200, 200]);
      expect([at, fetches.length]).toEqual([at, count]);
    }
    clock.time += 5_000;
    for (const algorithm of ['RS512', 'HS256', 'none'] as const) {
      const key = algorithm === 'HS256' ? 'x'.repeat(64) : algorithm === 'none' ? '' : first.privateKey;
      const token = jwt.sign({ sub: 'ann', exp: secondsFromNow(60) }, key, { algorithm });
      expect((await service.client.get(TEST, { authorization: `Bearer ${token}` })).status).toBe(401);
    }
    expect(fetches.length).toBe(3);
  });

  it('with a private key in it works with the public half, and logs an error', async () => {
    keys = [jwk(second.publicKey), { ...jwk(first.privateKey), key_ops: ['sign'] }];
    const secret = String(jwk(first.privateKey)['d']);
    trackSecret(secret);
    expect(await statuses(session(first))).toEqual([200, 200]);
    expect(await statuses(session(second))).toEqual([200, 200]);
    const [[line] = []] = errors.mock.calls;
    expect(line).toMatch(/^Key 2 of the set at 127\.0\.0\.1:\d+ is published with its PRIVATE half/);
    expect(JSON.stringify(errors.mock.calls)).not.toContain(secret);
  });

  it('that cannot be fetched is used for another hour, and readiness says for how long', async () => {
    expect(await ready()).toEqual([200, undefined]);
    keys = undefined;
    clock.time += 60_001;
    for (const minutes of [60, 1]) {
      expect(await statuses(session(first))).toEqual([200, 200]);
      const message = `cannot be fetched: the last good one is used for ${minutes} more minutes`;
      expect(await ready()).toEqual([200, [{ path: 'key_set', message }]]);
      clock.time += 59 * 60_000;
    }
    expect(await statuses(session(first))).toEqual([503, 503]);
    expect(await ready()).toEqual([
      200,
      [{ path: 'key_set', message: 'cannot be fetched: no session can be verified' }],
    ]);
    keys = [jwk(first.publicKey)];
    clock.time += 1_000;
    expect(await statuses(session(first))).toEqual([200, 200]);
    expect(await ready()).toEqual([200, undefined]);
  });

  it('that was never fetched makes the process not ready until it is', async () => {
    keys = undefined;
    const missing = [503, [{ path: 'key_set', message: 'was never fetched: no session can be verified' }]];
    expect(await ready()).toEqual(missing);
    expect(await ready()).toEqual(missing);
    keys = [jwk(first.publicKey)];
    clock.time += 1_000;
    expect(await ready()).toEqual([200, undefined]);
    expect(await statuses(session(first))).toEqual([200, 200]);
  });
});

describe('at its start, a process', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const [user, word] = ['the-user-of-the-set', 'the-word-of-the-user'];
  const start = (address: string) =>
    startProcess({ ...database.variables, JWT_JWKS_URL: `http://${user}:${word}@${address}/jwks?key=${word}` });
  beforeAll(() => [user, word].forEach(trackSecret));

  it('names the key set that it cannot fetch and why, without credentials', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const service = await start(address);
    try {
      expect(service.output()).toContain(
        `The key set at ${address} cannot be fetched: the connection failed (ECONNREFUSED). No session can be verified.`,
      );
      expect((await service.client.get('/health/ready')).status).toBe(503);
      expect((await service.client.get(TEST, session(first))).status).toBe(503);
      expect(service.output()).not.toMatch(/the-(user|word)|jwks/);
    } finally {
      await service.stop();
    }
  });

  it('sends the credentials in the URL of the key set as Basic, without logging them', async () => {
    const service = await start(accounts.address);
    try {
      expect((await service.client.get(TEST, session(first))).status).toBe(200);
      const basic = `Basic ${Buffer.from(`${user}:${word}`).toString('base64')}`;
      expect(fetches.map(({ authorization }) => authorization)).toEqual([basic]);
      await until(() => service.output().includes('W3IPFS API keys at'), 'the process to say where it is');
      expect(service.output()).not.toMatch(/the-(user|word)|jwks/);
      expect(service.output()).not.toContain(basic.slice(6));
    } finally {
      await service.stop();
    }
  });
});
