import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import jwt from 'jsonwebtoken';
import { range } from './support/at-once.js';
import { clockAhead, type TestClock } from './support/clock.js';
import { documentedBody, issued, pairHeaders } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { accountService, secondsFromNow, signToken } from './support/sessions.js';
import { until } from './support/until.js';

const TEST = '/api/apiKeys/testAuthentication';
const { publicKey, privateKey } = accountService;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = () => ({ sub: 'owner', exp: secondsFromNow(60), iat: secondsFromNow(0), nbf: secondsFromNow(0) });

/** Signed by an attacker who has only the public key. */
function hs256(secret: string): string {
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims())}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function tampered(token: string): string {
  const [header, , signature] = token.split('.');
  return `${header}.${base64url({ ...claims(), sub: 'somebody-else' })}.${signature}`;
}

describe('with a public key in PEM', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.stop());

  it.each([
    ['one as the account service signs them', () => signToken()],
    ['one that expired a moment ago, within the clock tolerance', () => signToken({ exp: secondsFromNow(-3) })],
    ['one that becomes valid in a moment, within the clock tolerance', () => signToken({ nbf: secondsFromNow(3) })],
    ['one without iat and nbf', () => signToken({ iat: undefined, nbf: undefined })],
    ['an issuer and an audience that are not configured', () => signToken({ iss: 'x', aud: 'y' })],
    ['an owner of 255 characters', () => signToken({ sub: 'é'.repeat(255) })],
  ])('accepts %s', async (_, token) => {
    expect((await service.client.get(TEST, bearer(token()))).status).toBe(200);
  });

  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });

  it.each([
    ['alg none', () => `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims())}.`],
    [
      'alg None, and a signature',
      () => `${base64url({ alg: 'None' })}.${base64url(claims())}.${signToken().split('.')[2]}`,
    ],
    ['HS256 signed with the public key', () => hs256(publicKey)],
    ['HS256 signed with the public key, trimmed', () => hs256(publicKey.trim())],
    ['HS256 signed with the public key after a newline', () => hs256(`\n${publicKey}`)],
    ['RS512, which is not configured', () => signToken({}, { algorithm: 'RS512' })],
    ['the signature of another key', () => jwt.sign(claims(), other, { algorithm: 'RS256' })],
    ['another payload under a good signature', () => tampered(signToken())],
    ['no exp', () => signToken({ exp: undefined })],
    ['no sub', () => signToken({ sub: undefined })],
    ['an empty sub', () => signToken({ sub: '' })],
    ['a sub of 256 characters', () => signToken({ sub: 'x'.repeat(256) })],
    ['a sub with U+0000', () => signToken({ sub: 'a\0b' })],
    ['a sub that is a number', () => jwtOf({ ...claims(), sub: 7 })],
    ['an exp that is text', () => jwtOf({ ...claims(), exp: '9999999999' })],
    ['a critical extension', () => signToken({}, { header: { alg: 'RS256', crit: ['b64'] } })],
    ['a payload that is a list', () => jwtOf([claims()])],
    ['a payload that is null', () => jwtOf(null)],
    ['an exp beyond all numbers', () => jwtOf(`{"sub":"owner","exp":1e999}`)],
    ['a truncated token', () => signToken().slice(0, -1)],
    ['a token without its signature', () => signToken().split('.').slice(0, 2).join('.')],
    ['an oversized token', () => signToken({ padding: 'x'.repeat(9_000) })],
    ['no token', () => ''],
    ['nonsense', () => 'a.b.c'],
    ['two tokens', () => `${signToken()} ${signToken()}`],
  ])('refuses %s', async (_, token) => {
    const answer = await service.client.get(TEST, bearer(token()));
    expect(answer.status).toBe(401);
    expect(answer.body.error).toMatchObject({ code: 'unauthenticated', reason: 'INVALID_CREDENTIALS' });
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
  });

  it('reports that a genuine token has expired, or is not valid yet', async () => {
    const expired = await service.client.get(TEST, bearer(signToken({ exp: secondsFromNow(-60) })));
    expect(expired.body.error).toMatchObject({ code: 'unauthenticated', reason: 'EXPIRED' });
    const early = await service.client.get(TEST, bearer(signToken({ nbf: secondsFromNow(60) })));
    expect(early.body.error).toMatchObject({ code: 'unauthenticated', reason: 'NOT_YET_VALID' });
  });

  it.each(['Basic dTpw', 'Bearer', 'Token x', signToken(), ''])('refuses Authorization: %s', async (authorization) => {
    expect((await service.client.get(TEST, { authorization })).status).toBe(401);
  });

  it('accepts the scheme in any letter case', async () => {
    expect((await service.client.get(TEST, { authorization: `bearer ${signToken()}` })).status).toBe(200);
  });

  it('refuses two sessions in one request', async () => {
    const twice = [`Bearer ${signToken()}`, `Bearer ${signToken({ sub: 'other' })}`];
    const answer = await service.client.call('GET', TEST, { headers: { authorization: twice } });
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('ambiguous_credentials');
  });
});

describe('with several public keys in PEM', () => {
  const newer = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
  const signed = (key: KeyObject, algorithm: jwt.Algorithm) => jwt.sign(claims(), key, { algorithm });

  it('accepts a token of each, and of no other', async () => {
    const service = await startService({
      JWT_PUBLIC_KEY: [publicKey, pem(newer.publicKey), pem(curve.publicKey)].join(''),
      JWT_ALGORITHMS: 'RS256,ES256',
    });
    const statusOf = async (token: string) => (await service.client.get(TEST, bearer(token))).status;
    try {
      const good = [signToken(), signed(newer.privateKey, 'RS256'), signed(curve.privateKey, 'ES256')];
      for (const token of good) expect(await statusOf(token)).toBe(200);
      const unknown = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
      const bad = [
        signed(unknown, 'RS256'),
        signed(newer.privateKey, 'RS512'),
        tampered(signToken()),
        hs256(publicKey),
      ];
      for (const token of bad) expect(await statusOf(token)).toBe(401);
      const expired = await service.client.get(TEST, bearer(signToken({ exp: secondsFromNow(-60) })));
      expect(expired.body.error.reason).toBe('EXPIRED');
    } finally {
      await service.stop();
    }
  });
});

describe('with an issuer and an audience', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ JWT_ISSUER: 'https://accounts', JWT_AUDIENCE: 'api-keys' });
  });
  afterAll(() => service.stop());

  it.each([
    ['both', { iss: 'https://accounts', aud: ['x', 'api-keys'] }, 200],
    ['another issuer', { iss: 'https://elsewhere', aud: 'api-keys' }, 401],
    ['no issuer', { aud: 'api-keys' }, 401],
    ['another audience', { iss: 'https://accounts', aud: 'files' }, 401],
    ['no audience', { iss: 'https://accounts' }, 401],
  ])('checks them: %s', async (_, changes, status) => {
    expect((await service.client.get(TEST, bearer(signToken(changes)))).status).toBe(status);
  });
});

describe('with a key set', () => {
  let service: TestService;
  let server: Server;
  let keys: object[] | undefined;
  let isHanging: boolean;
  let hanging: ServerResponse[];
  let clock: TestClock;
  const jwk = (pem: string, more: object) => ({ ...createPublicKey(pem).export({ format: 'jwk' }), ...more });
  const second = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  beforeEach(async () => {
    isHanging = false;
    hanging = [];
    server = createServer((_, response) => {
      if (isHanging) hanging.push(response);
      else if (!keys) response.writeHead(500).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    clock = clockAhead();
    service = await startService({ JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` }, undefined, clock);
  });
  afterEach(async () => {
    await service.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('accepts a token without kid if the set has one key', async () => {
    keys = [jwk(publicKey, { alg: 'RS256', use: 'sig' })];
    expect((await service.client.get(TEST, bearer(signToken()))).status).toBe(200);
    expect((await service.client.get(TEST, bearer(hs256(publicKey)))).status).toBe(401);
  });

  it('accepts a token of either key during a rotation, with kid or without', async () => {
    keys = [jwk(second.publicKey, { kid: 'new' }), jwk(publicKey, { kid: 'old' })];
    const tokens = [signToken(), signToken({}, { keyid: 'old' }), jwtOf(claims(), second.privateKey)];
    for (const token of tokens) expect((await service.client.get(TEST, bearer(token))).status).toBe(200);
    const wrong = [signToken({}, { keyid: 'new' }), signToken({}, { keyid: 'unknown' }), tampered(signToken())];
    for (const token of wrong) expect((await service.client.get(TEST, bearer(token))).status).toBe(401);
  });

  it('answers 503, not 401, while the set cannot be fetched, and recovers by itself', async () => {
    keys = undefined;
    const answer = await service.client.get(TEST, bearer(signToken()));
    expect(answer.status).toBe(503);
    expect(answer.body.error.code).toBe('unavailable');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    keys = [jwk(publicKey, {})];
    clock.time += 1_000;
    const statuses = new Set<number>();
    while (!statuses.has(200)) statuses.add((await service.client.get(TEST, bearer(signToken()))).status);
    expect([...statuses]).toEqual([200]);
  });

  it('still serves admin keys while the set hangs, however many sessions wait for it', async () => {
    keys = [jwk(publicKey, { kid: 'known' })];
    const known = bearer(signToken({}, { keyid: 'known' }));
    const admin = pairHeaders(issued(await service.client.post('/api/apiKeys', known, documentedBody)));
    clock.time += 10_000;
    isHanging = true;
    const junk = range(150).map((index) => service.client.get(TEST, bearer(signToken({}, { keyid: `${index}` }))));
    await until(() => hanging.length > 0, 'the set to be asked for');
    for (const headers of [admin, known])
      for (const path of [TEST, '/api/apiKeys/list'])
        expect((await service.client.get(path, headers)).status).toBe(200);
    server.closeAllConnections();
    expect(new Set((await Promise.all(junk)).map(({ status }) => status))).toEqual(new Set([503]));
  });

  it('refuses tokens of a key a minute after it was removed from the set', async () => {
    keys = [jwk(publicKey, { kid: 'old' }), jwk(second.publicKey, { kid: 'new' })];
    const old = bearer(signToken({}, { keyid: 'old' }));
    expect((await service.client.get(TEST, old)).status).toBe(200);
    keys = [jwk(second.publicKey, { kid: 'new' })];
    clock.time += 60_001;
    expect((await service.client.get(TEST, old)).status).toBe(401);
    const current = jwt.sign(claims(), second.privateKey, { algorithm: 'RS256', keyid: 'new' });
    expect((await service.client.get(TEST, bearer(current))).status).toBe(200);
  });

  it('refuses a token of a key that is too short', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    keys = [{ ...short.publicKey.export({ format: 'jwk' }), alg: 'RS256' }, jwk(publicKey, {})];
    const header = base64url({ alg: 'RS256' });
    const signed = `${header}.${base64url(claims())}`;
    const signature = sign('sha256', Buffer.from(signed), short.privateKey).toString('base64url');
    expect((await service.client.get(TEST, bearer(`${signed}.${signature}`))).status).toBe(401);
  });
});

/** Signs any payload with RS256; the library would refuse some. */
function jwtOf(payload: unknown, key: string = privateKey): string {
  return jwt.sign(typeof payload === 'string' ? payload : JSON.stringify(payload), key, { algorithm: 'RS256' });
}
