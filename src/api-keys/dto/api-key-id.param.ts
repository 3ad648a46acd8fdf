import { KeyId } from '../../http/validation/canonical-id.js';

/** The path of what concerns one key. */
export class ApiKeyIdParam {
  @KeyId()
  id: string;
}
