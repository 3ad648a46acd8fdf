import { ApiError, type ErrorDetail } from '../contract/api-error.js';
import { CHALLENGE } from '../contract/response-headers.js';

/** The key that issues another was revoked or disabled while it did. */
export class IssuerGoneError extends ApiError {
  constructor() {
    const message = 'This API key has just been revoked or disabled.';
    super('unauthenticated', message, { reason: 'REVOKED', headers: CHALLENGE });
  }
}

/** The key has changed since the caller read it. */
export class PreconditionFailedError extends ApiError {
  constructor() {
    super('precondition_failed', 'The key has changed since you read it: read it again, and decide anew.');
  }
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
