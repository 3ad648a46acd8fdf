import type { Refusal } from '@w3ipfs/api-keys-guard/decision';
import type { NamedRate } from '@w3ipfs/api-keys-guard/http';
import type { ApiError } from '../http/errors/api-error.js';
import { refusalError } from '../principals/refusal-errors.js';
import type { Scope } from '../principals/scopes.js';
import { UnlistedRouteError } from './errors.js';
import { type Access, type Closed, UNLISTED } from './route-table.js';

/** What a route needs, unless it is public. */
export type Needed = Exclude<Access, 'public'>;

/** What is required of a key for a route. For a closed one, the caller is only identified, free of charge. */
export function requirementsOf(access: Needed): { scopes: readonly Scope[]; cost: number } {
  return isClosed(access) ? { scopes: [], cost: 0 } : { scopes: access, cost: 1 };
}

/**
 * The error for a key that was refused.
 *
 * @param mayUse whether the key has a scope
 * @param rates the state of the rates that were charged
 */
export function refusedKey(
  code: Refusal,
  access: Needed,
  mayUse: (scope: Scope) => boolean,
  rates: readonly NamedRate[],
): ApiError {
  if (code === 'INSUFFICIENT_SCOPE' && access === UNLISTED) return new UnlistedRouteError();
  return refusalError(code, { missing: isClosed(access) ? [] : access.filter((scope) => !mayUse(scope)), rates });
}

export function isClosed(access: Needed): access is Closed {
  return typeof access === 'string';
}
