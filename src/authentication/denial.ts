import type { ApiError } from '../http/errors/api-error.js';
import type { Principal } from '../principals/principal.js';

/** A refused caller. */
export class Denial {
  constructor(
    readonly error: ApiError,
    /** Set if the secret is right, and the key is refused for another reason. */
    readonly principal?: Principal,
  ) {}
}
