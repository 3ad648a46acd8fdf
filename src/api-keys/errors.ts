import { ApiError, type ErrorDetail } from '../contract/api-error.js';

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
