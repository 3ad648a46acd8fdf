import type { GuardState } from './types.js';

const REFUSED = 'The API-key service refuses the token of this guard: is it one of its SERVICE_TOKENS?';

/** No verdict can be given now. Answer 503 with `Retry-After`, never 401: the credentials may be good. */
export class GuardUnavailableError extends Error {
  override readonly name = 'GuardUnavailableError';

  constructor(
    message: string,
    /** After how many seconds to try again: 1 or more. */
    readonly retryAfterSeconds: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Why a guard in a state gives no verdict. */
export function unavailable(state: GuardState, reason = 'It does not answer.'): GuardUnavailableError {
  if (state === 'closed') return new GuardUnavailableError('The guard is closed.', 1);
  if (state === 'refused') return new GuardUnavailableError(REFUSED, 1);
  return new GuardUnavailableError(`The API-key service is not available. ${reason}`, 1);
}
