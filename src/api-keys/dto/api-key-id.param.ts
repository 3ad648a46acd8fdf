import { KeyId } from '../../http/validation/canonical-id.js';

/** The path parameters of routes for one key. */
export class ApiKeyIdParam {
  @KeyId()
  id: string;
}
