import { API_KEY_FORMS, type CredentialsProblem, type Refusal } from '../decision/index.js';
import type { GuardUnavailableError } from '../unavailable-error.js';
import type { GuardVerdict } from '../types.js';
import { rateHeaders } from './rate-headers.js';
import type { RequestError } from './refused-request.js';
import { missingScopes, REFUSAL_MESSAGES, tooManyRequests } from './refusal-messages.js';
import { CHALLENGE } from './response-headers.js';

/** The error for a request whose credentials are not an API key's. */
export function credentialsError(presented: CredentialsProblem | { token: string }): RequestError {
  if ('token' in presented) return unauthenticated('INVALID_CREDENTIALS', NO_SESSION);
  if (presented.kind === 'missing') return unauthenticated('INVALID_CREDENTIALS', `Present ${API_KEY_FORMS}`);
  if (presented.kind === 'invalid') return unauthenticated('INVALID_CREDENTIALS', presented.message);
  return { status: 400, code: 'ambiguous_credentials', message: presented.message };
}

const NO_SESSION = `This route takes an API key, not a session. Present ${API_KEY_FORMS}`;

/** The error for a refused key. @param required the scopes that the route needs */
export function refusalError(verdict: GuardVerdict, code: Refusal, required: readonly string[]): RequestError {
  if (code === 'IP_NOT_ALLOWED') return { status: 403, code: 'ip_not_allowed', message: REFUSAL_MESSAGES[code] };
  if (code === 'USAGE_EXCEEDED') return { status: 403, code: 'usage_exceeded', message: REFUSAL_MESSAGES[code] };
  if (code === 'RATE_LIMITED') return rateLimited(verdict);
  if (code !== 'INSUFFICIENT_SCOPE') return unauthenticated(code, REFUSAL_MESSAGES[code]);
  const missing = required.filter((scope) => !verdict.scopes?.includes(scope));
  return { status: 403, code: 'insufficient_scope', message: missingScopes(missing) };
}

/** The error while no verdict can be given. The cause is the operator's concern, not the client's: see `onState`. */
export function unavailableError({ retryAfterSeconds }: GuardUnavailableError): RequestError {
  return {
    status: 503,
    code: 'unavailable',
    message: 'API keys cannot be checked at present. Try again in a moment.',
    headers: { 'Retry-After': String(retryAfterSeconds) },
  };
}

function rateLimited(verdict: GuardVerdict): RequestError {
  const headers = { 'Retry-After': '1', ...rateHeaders(verdict) };
  return { status: 429, code: 'rate_limited', message: tooManyRequests(Number(headers['Retry-After'])), headers };
}

function unauthenticated(reason: Refusal, message: string): RequestError {
  return { status: 401, code: 'unauthenticated', message, reason, headers: CHALLENGE };
}
