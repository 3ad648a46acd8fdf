import { generateKeyPairSync } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { accountService, secondsFromNow, signToken } from '../../../test/support/sessions.js';
import { SystemClock } from '../../clock.js';
import { loadEnvironment } from '../../configuration.js';
import { authenticate, outcomeOf } from '../authenticate.js';
import { SessionKeys } from './session-keys.js';
import { SESSION_STRATEGY, SessionStrategy } from './session.strategy.js';
import passport from 'passport';

const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const settings = {
  JWT_ISSUER: 'https://accounts',
  JWT_AUDIENCE: 'keys',
  CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
  SERVICE_TOKENS: `a:${'t'.repeat(32)}`,
};
const one = accountService.publicKey;
const two = one + other.publicKey.export({ type: 'spki', format: 'pem' }).toString();

let debug: jest.SpiedFunction<Logger['debug']>;
beforeEach(() => {
  debug = jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => {});
});
afterEach(() => jest.restoreAllMocks());

function use(JWT_PUBLIC_KEY: string): void {
  const environment = loadEnvironment({ ...settings, JWT_PUBLIC_KEY });
  passport.use(new SessionStrategy(environment, new SessionKeys(environment, new SystemClock())));
}

const good = { iss: 'https://accounts', aud: 'keys' };
const ofOther = jwt.sign({ ...good, sub: 'owner', exp: secondsFromNow(60) }, other.privateKey, { algorithm: 'RS256' });
const [header, claims, signature] = signToken(good).split('.') as [string, string, string];
const swapped = [header, Buffer.from('{"sub":"else"}').toString('base64url'), signature].join('.');

it.each([
  ['iss', signToken({ ...good, iss: 'https://accounts/' }), /^jwt issuer invalid\. expected: https:\/\/accounts$/],
  ['aud', signToken({ ...good, aud: 'files' }), /^jwt audience invalid\. expected: keys$/],
  ['exp', signToken({ ...good, exp: secondsFromNow(-60) }), /^expired at 20.*Z$/],
  ['exp', signToken({ ...good, exp: undefined }), /^is missing/],
  ['nbf', signToken({ ...good, nbf: secondsFromNow(60) }), /^valid from 20.*Z on$/],
  ['sub', signToken({ ...good, sub: '' }), /^is missing/],
  ['signature', swapped, /./],
  ['alg', signToken(good, { algorithm: 'RS512' }), /^invalid algorithm$/],
  ['form', `${header}.${claims}`, /./],
  ['form', 'hunter2', /./],
])('logs at debug which check of a session failed: %s', async (check, token, detail) => {
  use(one);
  await expect(present(token)).resolves.toMatchObject({ error: { code: 'unauthenticated' } });
  const lines = debug.mock.calls.map(([line]) => String(line));
  expect(lines).toHaveLength(1);
  const [, named, logged] = /^A session was refused by its (\w+): (.*)$/.exec(lines[0] ?? '') ?? [];
  expect(named).toBe(check);
  expect(logged).toMatch(detail);
  for (const part of token.split('.')) expect(lines[0]).not.toContain(part);
});

it('logs at debug that none of several keys signed it', async () => {
  use(two);
  await expect(present(ofOther)).resolves.toMatchObject({ ownerId: 'owner' });
  await expect(present(swapped)).resolves.toMatchObject({ error: { reason: 'INVALID_CREDENTIALS' } });
  expect(debug.mock.calls).toEqual([['A session was refused by its signature: is of no key in JWT_PUBLIC_KEY']]);
});

it('logs nothing if the request has no session', () => {
  const denial = { error: { message: expect.stringContaining('not valid') } };
  expect(outcomeOf(null, false, new Error('No auth token'))).toMatchObject(denial);
  expect(debug).not.toHaveBeenCalled();
});

function present(token: string) {
  return authenticate(SESSION_STRATEGY, { headers: { authorization: `Bearer ${token}` } } as never);
}
