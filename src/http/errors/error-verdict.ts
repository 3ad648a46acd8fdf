import type { ApiError } from './api-error.js';
import type { ErrorCode } from './error-codes.js';

/** The errors that stand for one verdict each; `unauthenticated` gives its verdict as the reason. */
const VERDICTS: Partial<Record<ErrorCode, string>> = {
  ambiguous_credentials: 'INVALID_CREDENTIALS',
  ip_not_allowed: 'IP_NOT_ALLOWED',
  insufficient_scope: 'INSUFFICIENT_SCOPE',
  rate_limited: 'RATE_LIMITED',
  usage_exceeded: 'USAGE_EXCEEDED',
};

/** The verdict on the presented credentials that an error stands for; `undefined` if it is about something else. */
export function verdictOfError({ code, reason }: Pick<ApiError, 'code' | 'reason'>): string | undefined {
  return reason ?? VERDICTS[code];
}
