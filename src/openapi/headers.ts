import type { OpenAPIObject } from '@nestjs/swagger';
import type { ErrorCode } from '../http/errors/error-codes.js';

type Response = { headers?: object; content?: Record<string, { examples?: object }> };
type Responses = Record<string, Response>;

const text = (description: string, example: string, required = false) => ({
  description,
  required,
  schema: { type: 'string' as const, example },
});

/** The headers that many answers have, under `components`. */
const HEADERS = {
  'X-Request-Id': text(
    'Names the request in the log; the one that the request came with, where it is well-formed',
    '0f2d9b1e-6c1f-4a57-9d0e-3f7c5b8a9e42',
    true,
  ),
  'WWW-Authenticate': text('How to authenticate (RFC 9110, 11.6.1)', 'Bearer realm="w3ipfs"', true),
  'Retry-After': text('In how many seconds to try again (RFC 9110, 10.2.3)', '2', true),
  'RateLimit-Policy': text('The limits that the call counts against, if there are any', '"principal";q=60;w=60'),
  RateLimit: text(
    'How the caller stands to them: what remains, and in how many seconds it is all there again ' +
      '(draft-ietf-httpapi-ratelimit-headers)',
    '"principal";r=59;t=60',
  ),
};
type Name = keyof typeof HEADERS;

const RATES: Name[] = ['RateLimit-Policy', 'RateLimit'];
/** Known from the status alone. */
const OF_STATUS: Record<string, Name[]> = {
  401: ['WWW-Authenticate'],
  409: ['Retry-After'],
  429: ['Retry-After', ...RATES],
  503: ['Retry-After'],
};
/** What may go wrong once a call is counted against its caller's rates; the other codes are given before. */
const ONCE_COUNTED = new Set<ErrorCode>([
  'malformed_json',
  'validation_failed',
  'exceeds_issuer',
  'key_limit_reached',
  'key_not_found',
  'precondition_failed',
  'idempotency_key_in_use',
  'idempotency_key_reused',
  'internal',
  'unavailable',
]);

/** Documents at every answer of the document the headers that it comes with, whatever its operation says besides. */
export function documentHeaders({ paths, components = {} }: OpenAPIObject): void {
  components.headers = { ...components.headers, ...HEADERS };
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path) as { responses: Responses }[])) {
    const counted = countedAnswers(operation.responses);
    for (const [status, response] of Object.entries(operation.responses)) {
      const names: Name[] = ['X-Request-Id', ...(OF_STATUS[status] ?? [])];
      if (counted.includes(status)) names.push(...RATES);
      const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
      response.headers = { ...response.headers, ...Object.fromEntries(references) };
    }
  }
}

/**
 * Calls are counted where a key's uses can be spent on them: before the work, or, where a gateway asks for a verdict and
 * no more, by the verdict.
 */
function countedAnswers(responses: Responses): string[] {
  const statuses = Object.keys(responses);
  if (!statuses.some((status) => codesOf(responses[status]).includes('usage_exceeded'))) return [];
  const isMore = (status: string) => codesOf(responses[status]).some((code) => ONCE_COUNTED.has(code));
  return responses['200']?.content ? ['200', ...statuses.filter(isMore)] : ['200'];
}

function codesOf(response?: Response): ErrorCode[] {
  return Object.keys(response?.content?.['application/json']?.examples ?? {}) as ErrorCode[];
}
