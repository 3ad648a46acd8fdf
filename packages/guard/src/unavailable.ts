import type { GuardState } from './types.js';
import { GuardUnavailableError } from './unavailable-error.js';

const REFUSED = 'The API-key service refuses the token of this guard: is it one of its SERVICE_TOKENS?';

/** Why a guard in a state gives no verdict. */
export function unavailable(state: GuardState, reason = 'It does not answer.'): GuardUnavailableError {
  if (state === 'closed') return new GuardUnavailableError('The guard is closed.', 1);
  if (state === 'refused') return new GuardUnavailableError(REFUSED, 1);
  return new GuardUnavailableError(`The API-key service is not available. ${reason}`, 1);
}
