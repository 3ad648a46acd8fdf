import jwt from 'jsonwebtoken';

/** A session token as the account service signs them: RS256, `exp`, `iat`, `nbf` and `sub`, two hours long. */
export function signSession(privateKey: string, ownerId: string): string {
  return jwt.sign({}, privateKey, { algorithm: 'RS256', subject: ownerId, notBefore: 0, expiresIn: '2h' });
}
