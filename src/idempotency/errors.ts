import { ApiError } from '../http/errors/api-error.js';

export class IdempotencyKeyInUseError extends ApiError {
  constructor() {
    const message = 'The first request with this Idempotency-Key is still in progress. Retry in a moment.';
    super('idempotency_key_in_use', message, { headers: { 'Retry-After': '1' } });
  }
}

export class IdempotencyKeyReusedError extends ApiError {
  constructor() {
    super('idempotency_key_reused', 'This Idempotency-Key was used with a different request. Use a new one.');
  }
}
