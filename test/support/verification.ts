import type { Answer, Client } from './client.js';
import type { IssuedKey } from './keys.js';

/** The token of the platform's service. */
export const serviceToken = 'a-service-token-of-at-least-32-characters';

/** The variables for a service that accepts `verify()`. */
export const serviceVariables = { SERVICE_TOKENS: `other:${'o'.repeat(32)},gateway:${serviceToken}` };

/** The headers of the platform's service. */
export const serviceHeaders = { authorization: `Bearer ${serviceToken}` };

export function pairOf({ api_key, secret_key }: Pick<IssuedKey, 'api_key' | 'secret_key'>) {
  return { api_key, secret_key };
}

/** Verifies a key's pair as a service. */
export function verify(client: Client, key: IssuedKey, need: object = {}): Promise<Answer> {
  return client.post('/api/apiKeys/verify', serviceHeaders, { ...pairOf(key), ...need });
}
