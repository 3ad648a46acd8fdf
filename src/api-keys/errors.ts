import { ApiError } from '../contract/api-error.js';

export class ApiKeyNotFoundError extends ApiError {
  constructor(identifier: string) {
    super('key_not_found', `There is no such API key: ${identifier}. It may have been deleted already.`);
  }
}
