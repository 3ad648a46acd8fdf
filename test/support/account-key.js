import { generateKeyPairSync } from 'node:crypto';

/** An RSA key, PKCS #8 in PEM. */
export function generatePrivateKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
