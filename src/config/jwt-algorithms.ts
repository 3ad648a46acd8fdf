import { createPublicKey } from 'node:crypto';
import { InvalidValueError } from './invalid-value.js';

/** The asymmetric algorithms of JWTs that sessions may use (RFC 7518). */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'] as const;
const CURVES = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' } as const;

type Algorithm = (typeof ALGORITHMS)[number];

/** @throws InvalidValueError */
export function readAlgorithm(text: string): Algorithm {
  const known = ALGORITHMS.find((algorithm) => algorithm === text);
  if (known === undefined) throw new InvalidValueError(`must be one of ${ALGORITHMS.join(', ')}`);
  return known;
}

/** Whether a public key has the type and size that an algorithm requires. @param pem the key */
export function matchesKey(algorithm: Algorithm, pem: string): boolean {
  const key = createPublicKey(pem);
  if (algorithm === 'ES256' || algorithm === 'ES384' || algorithm === 'ES512') {
    return key.asymmetricKeyDetails?.namedCurve === CURVES[algorithm];
  }
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
}
