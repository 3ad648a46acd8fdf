import { ApiError, type ErrorDetail } from '../http/errors/api-error.js';
import type { ApiKey } from './api-key.entity.js';

/** The key has changed since the caller read it. */
class PreconditionFailedError extends ApiError {
  constructor() {
    super('precondition_failed', 'The key has changed since you read it: read it again and retry.');
  }
}

/** @param versions the versions that the key may have; `undefined` for any @throws PreconditionFailedError */
export function assertVersion({ version }: Pick<ApiKey, 'version'>, versions: readonly number[] | undefined): void {
  if (versions && !versions.includes(version)) throw new PreconditionFailedError();
}

export class ApiKeyNotFoundError extends ApiError {
  constructor(identifier: string) {
    super('key_not_found', `API key not found: ${identifier}. It may have been deleted.`);
  }
}

/** A key would have more rights than the key that issues or changes it. */
export class ExceedsIssuerError extends ApiError {
  constructor(details: ErrorDetail[]) {
    super('exceeds_issuer', 'A key cannot grant more than it has; see `details`.', { details });
  }
}

/** The owner has `MAX_KEYS_PER_OWNER` keys. */
export class KeyLimitReachedError extends ApiError {
  constructor(limit: number) {
    const message = `This account has ${limit} keys, which is the maximum. Delete keys that are no longer needed, or ask the operator to raise MAX_KEYS_PER_OWNER.`;
    super('key_limit_reached', message);
  }
}
