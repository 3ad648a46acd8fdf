import { REFUSALS } from '@w3ipfs/api-keys-guard/decision';
import { AmbiguousCredentialsError, refusalError } from './refusal-errors.js';

it('gives every verdict one code and status, and shows the reason only of 401', () => {
  const unauthenticated = (verdict: string) => [verdict, 401, 'unauthenticated', verdict];
  const errors = REFUSALS.map((refusal) => refusalError(refusal));
  expect(errors.map(({ verdict, status, code, reason }) => [verdict, status, code, reason])).toEqual([
    ...['INVALID_CREDENTIALS', 'REVOKED', 'DISABLED', 'NOT_YET_VALID', 'EXPIRED'].map(unauthenticated),
    ['IP_NOT_ALLOWED', 403, 'ip_not_allowed', undefined],
    ['INSUFFICIENT_SCOPE', 403, 'insufficient_scope', undefined],
    ['RATE_LIMITED', 429, 'rate_limited', undefined],
    ['USAGE_EXCEEDED', 403, 'usage_exceeded', undefined],
  ]);
});

it('reports ambiguous credentials as invalid', () => {
  expect(new AmbiguousCredentialsError('Twice.')).toMatchObject({ code: 'ambiguous_credentials', status: 400 });
  expect(new AmbiguousCredentialsError('Twice.').verdict).toBe('INVALID_CREDENTIALS');
});
