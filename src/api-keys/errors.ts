import { ApiError } from '../contract/api-error.js';

export class ApiKeyNotFoundError extends ApiError {
  constructor(id: string) {
    super('key_not_found', `No API key ${id} belongs to you.`);
  }
}
