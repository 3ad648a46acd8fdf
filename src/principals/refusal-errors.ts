import type { Scope } from './scopes.js';
import { ApiError, UnavailableError } from '../http/errors/api-error.js';
import { CHALLENGE } from '../http/response-headers.js';
import { type NamedRate, rateLimitHeaders } from '../http/rate-limit-headers.js';
import type { Refusal, UnauthenticatedReason } from '../http/errors/refusals.js';

const MESSAGES: Record<UnauthenticatedReason, string> = {
  INVALID_CREDENTIALS: 'These credentials are not valid.',
  REVOKED: 'This API key has been revoked.',
  DISABLED: 'This API key is disabled; its owner can enable it.',
  NOT_YET_VALID: 'These credentials are not valid yet.',
  EXPIRED: 'These credentials have expired.',
};

/** Nothing valid was presented. An unknown key and a wrong secret read the same. */
export class UnauthenticatedError extends ApiError {
  constructor(reason: UnauthenticatedReason, message = MESSAGES[reason]) {
    super('unauthenticated', message, { reason, headers: CHALLENGE });
  }
}

/** More than one thing was presented, and which one counts must not depend on who reads it. */
export class AmbiguousCredentialsError extends ApiError {
  constructor(message: string) {
    super('ambiguous_credentials', message);
  }
}

export class InsufficientScopeError extends ApiError {
  constructor(
    readonly missing: readonly Scope[],
    message = `This API key lacks the scope ${missing.join(', ')}.`,
  ) {
    super('insufficient_scope', message);
  }
}

class IpNotAllowedError extends ApiError {
  constructor() {
    super('ip_not_allowed', 'This API key may not be used from your address; see its limits.allowed_cidrs.');
  }
}

class UsageExceededError extends ApiError {
  constructor() {
    super('usage_exceeded', 'The uses of this API key are spent; see its limits.max_uses.');
  }
}

export class RateLimitedError extends ApiError {
  constructor(rates: readonly NamedRate[]) {
    const seconds = Math.max(...rates.map((rate) => rate.retryAfterSeconds));
    super('rate_limited', `Too many requests. Try again in ${seconds} seconds.`, { headers: rateLimitHeaders(rates) });
  }
}

/** The scopes that were missing, and how the rates stand that were asked. */
interface RefusalContext {
  missing?: readonly Scope[];
  rates?: readonly NamedRate[];
}

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

/** How a refused key pair is answered where the client itself is the caller. */
export function refusalError(refusal: Refusal, context: RefusalContext = {}): ApiError {
  return REFUSAL_ERRORS[refusal](context);
}

/** For what is as good as not there where it is refused, and nobody is told why. @throws whatever is no refusal */
export function noneIfRefused(error: unknown): undefined {
  if (error instanceof ApiError && !(error instanceof UnavailableError)) return undefined;
  throw error;
}
