import jwt from 'jsonwebtoken';

/** Signs a session token like the account service's: RS256 with `exp`, `iat`, `nbf` and `sub`, valid for two hours. */
export function signSession(privateKey: string, ownerId: string): string {
  return jwt.sign({}, privateKey, { algorithm: 'RS256', subject: ownerId, notBefore: 0, expiresIn: '2h' });
}
