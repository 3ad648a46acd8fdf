import { ApiError, type ErrorDetail } from '../http/errors/api-error.js';
import type { ApiKey } from './api-key.entity.js';

/** The key has changed since the caller read it. */
class PreconditionFailedError extends ApiError {
  constructor() {
    super('precondition_failed', 'The key has changed since you read it: read it again and retry.');
  }
}

/** @param versions those that the key may be at; `undefined` for any @throws PreconditionFailedError */
export function assertVersion({ version }: Pick<ApiKey, 'version'>, versions: readonly number[] | undefined): void {
  if (versions && !versions.includes(version)) throw new PreconditionFailedError();
}

export class ApiKeyNotFoundError extends ApiError {
  constructor(identifier: string) {
    super('key_not_found', `There is no such API key: ${identifier}. It may have been deleted already.`);
  }
}

/** A key would be given more than the key that issues it has. */
export class ExceedsIssuerError extends ApiError {
  constructor(details: ErrorDetail[]) {
    super('exceeds_issuer', 'A key cannot give more than it has; see details.', { details });
  }
}

/** The owner has as many keys as it may have. */
export class KeyLimitReachedError extends ApiError {
  constructor(limit: number) {
    const message = `This account has ${limit} keys, and may have no more. Delete keys that are no longer needed, or ask the operator to raise MAX_KEYS_PER_OWNER.`;
    super('key_limit_reached', message);
  }
}
