import { verdictOfError } from './error-verdict.js';

it.each([
  ['unauthenticated', 'EXPIRED', 'EXPIRED'],
  ['unauthenticated', 'INVALID_CREDENTIALS', 'INVALID_CREDENTIALS'],
  ['ambiguous_credentials', undefined, 'INVALID_CREDENTIALS'],
  ['ip_not_allowed', undefined, 'IP_NOT_ALLOWED'],
  ['insufficient_scope', undefined, 'INSUFFICIENT_SCOPE'],
  ['rate_limited', undefined, 'RATE_LIMITED'],
  ['usage_exceeded', undefined, 'USAGE_EXCEEDED'],
  ['key_not_found', undefined, undefined],
  ['unavailable', undefined, undefined],
] as const)('%s with the reason %s stands for the verdict %s', (code, reason, verdict) => {
  expect(verdictOfError({ code, reason })).toBe(verdict);
});
