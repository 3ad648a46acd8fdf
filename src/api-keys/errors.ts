import { ApiError } from '../contract/api-error.js';

export class ApiKeyNotFoundError extends ApiError {
  constructor(identifier: string) {
    super('key_not_found', `There is no API key ${identifier}, or it is not yours, or it has been deleted.`);
  }
}
