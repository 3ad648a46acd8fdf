export { ApiKeysError } from './api-keys-error.js';
export type { Answer, Call } from './call.js';
// Instead of the type of this name below, which is for generated clients
export { type ApiKeysClient, type ClientOptions, createClient } from './client.js';
export type { Credentials, CredentialsSource } from './credentials.js';
export type * from './generated/types.gen.js';
export { newIdempotencyKey } from './idempotency-key.js';
