import { createPublicKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { generatePrivateKey } from './account-key.js';

/** Of the global setup, if there was one: generating a key takes longer than most tests. */
const privateKey = process.env['TEST_ACCOUNT_KEY'] ?? generatePrivateKey();
const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();

/** The account service's keys in the tests. */
export const accountService = { publicKey, privateKey };

export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A token like those of the documentation, RS256 with `exp`, `iat`, `nbf` and `sub`, with these changes. */
export function signToken(changes: Record<string, unknown> = {}, options: jwt.SignOptions = {}): string {
  const payload = {
    exp: secondsFromNow(7200),
    iat: secondsFromNow(0),
    nbf: secondsFromNow(0),
    sub: 'owner',
    ...changes,
  };
  const present = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
  return jwt.sign(present, privateKey, { algorithm: 'RS256', noTimestamp: true, ...options });
}

const tokens = new Map<string, string>();

/** The headers of a session of the owner, signed once: signing costs more than most calls. */
export function sessionOf(owner: string): { authorization: string } {
  const token = tokens.get(owner) ?? signToken({ sub: owner });
  tokens.set(owner, token);
  return { authorization: `Bearer ${token}` };
}
