import type { Scope } from '../api-keys/scopes.js';
import { ApiError } from '../contract/api-error.js';
import type { Refusal } from '../verification/verdict.js';

export type UnauthenticatedReason = Exclude<Refusal, 'INSUFFICIENT_SCOPE'> | 'EXPIRED' | 'NOT_YET_VALID';

const MESSAGES: Record<UnauthenticatedReason, string> = {
  INVALID_CREDENTIALS: 'These credentials are not valid.',
  REVOKED: 'This API key has been revoked.',
  EXPIRED: 'This session has expired; sign in again.',
  NOT_YET_VALID: 'This session is not valid yet.',
};

/** Nothing valid was presented. An unknown key and a wrong secret read the same. */
export class UnauthenticatedError extends ApiError {
  constructor(reason: UnauthenticatedReason, message = MESSAGES[reason]) {
    super('unauthenticated', message, { reason, headers: { 'WWW-Authenticate': 'Bearer realm="w3ipfs"' } });
  }
}

/** More than one thing was presented, and which one counts must not depend on who reads it. */
export class AmbiguousCredentialsError extends ApiError {
  constructor(message: string) {
    super('ambiguous_credentials', message);
  }
}

export class InsufficientScopeError extends ApiError {
  constructor(missing: readonly Scope[]) {
    super('insufficient_scope', `This API key lacks the scope ${missing.join(', ')}.`);
  }
}

/** How a refused key pair is answered where the client itself is the caller. */
export function refusalError(refusal: Refusal, needed: readonly Scope[]): ApiError {
  return refusal === 'INSUFFICIENT_SCOPE' ? new InsufficientScopeError(needed) : new UnauthenticatedError(refusal);
}
