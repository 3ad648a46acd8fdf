import type { Scope } from './scopes.js';
import { ApiError, UnavailableError } from '../http/errors/api-error.js';
import {
  CHALLENGE,
  missingScopes,
  type NamedRate,
  rateLimitHeaders,
  REFUSAL_MESSAGES,
  tooManyRequests,
} from '@w3ipfs/api-keys-guard/http';
import type { Refusal, UnauthenticatedReason } from '@w3ipfs/api-keys-guard/decision';

/** The request has no valid credentials. An unknown key and a wrong secret get the same answer. */
export class UnauthenticatedError extends ApiError {
  constructor(verdict: UnauthenticatedReason, message: string = REFUSAL_MESSAGES[verdict]) {
    super('unauthenticated', message, { verdict, headers: CHALLENGE });
  }
}

/** The request has several credentials; which one counts must not depend on the reader. */
export class AmbiguousCredentialsError extends ApiError {
  constructor(message: string) {
    super('ambiguous_credentials', message, { verdict: 'INVALID_CREDENTIALS' });
  }
}

export class InsufficientScopeError extends ApiError {
  constructor(
    readonly missing: readonly Scope[],
    message = missingScopes(missing),
  ) {
    super('insufficient_scope', message, { verdict: 'INSUFFICIENT_SCOPE' });
  }
}

class IpNotAllowedError extends ApiError {
  constructor() {
    super('ip_not_allowed', REFUSAL_MESSAGES.IP_NOT_ALLOWED, { verdict: 'IP_NOT_ALLOWED' });
  }
}

class UsageExceededError extends ApiError {
  constructor() {
    super('usage_exceeded', REFUSAL_MESSAGES.USAGE_EXCEEDED, { verdict: 'USAGE_EXCEEDED' });
  }
}

export class RateLimitedError extends ApiError {
  constructor(rates: readonly NamedRate[]) {
    const seconds = Math.max(...rates.map((rate) => rate.retryAfterSeconds));
    super('rate_limited', tooManyRequests(seconds), {
      verdict: 'RATE_LIMITED',
      headers: rateLimitHeaders(rates),
    });
  }
}

/** The missing scopes, and the state of the rates that were charged. */
interface RefusalContext {
  missing?: readonly Scope[];
  rates?: readonly NamedRate[];
}

/** The one table from verdicts to errors, and so to status, code and headers. */
const REFUSAL_ERRORS: Record<Refusal, (context: RefusalContext) => ApiError> = {
  INVALID_CREDENTIALS: () => new UnauthenticatedError('INVALID_CREDENTIALS'),
  REVOKED: () => new UnauthenticatedError('REVOKED'),
  DISABLED: () => new UnauthenticatedError('DISABLED'),
  NOT_YET_VALID: () => new UnauthenticatedError('NOT_YET_VALID'),
  EXPIRED: () => new UnauthenticatedError('EXPIRED'),
  IP_NOT_ALLOWED: () => new IpNotAllowedError(),
  INSUFFICIENT_SCOPE: ({ missing = [] }) => new InsufficientScopeError(missing),
  RATE_LIMITED: ({ rates = [] }) => new RateLimitedError(rates),
  USAGE_EXCEEDED: () => new UsageExceededError(),
};

/** The error for a verdict, for clients that call with the refused key pair themselves. */
export function refusalError(refusal: Refusal, context: RefusalContext = {}): ApiError {
  return REFUSAL_ERRORS[refusal](context);
}

/** For `catch`: ignores an error that the client caused. @throws any other error, `UnavailableError` included */
export function ignoreClientError(error: unknown): undefined {
  if (error instanceof ApiError && !(error instanceof UnavailableError)) return undefined;
  throw error;
}
