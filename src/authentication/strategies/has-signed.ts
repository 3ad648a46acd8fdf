import type { KeyObject, webcrypto } from 'node:crypto';
import { compactVerify } from 'jose';

/** Whether a token (JWS; RFC 7515) was signed by the private key of a public key. */
export function hasSigned(key: KeyObject | webcrypto.CryptoKey, token: string): Promise<boolean> {
  return compactVerify(token, key).then(
    () => true,
    () => false,
  );
}
