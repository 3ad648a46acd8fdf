import type { OpenAPIObject } from '@nestjs/swagger';
import type { ErrorCode } from '../http/errors/error-codes.js';

type Response = { headers?: object; content?: Record<string, { examples?: object }> };
type Responses = Record<string, Response>;

const text = (description: string, example: string, required = false) => ({
  description,
  required,
  schema: { type: 'string' as const, example },
});

/** The headers of many responses, as `components`. */
const HEADERS = {
  'X-Request-Id': text(
    'Identifies the request in the log: the one that the client sent if it is well-formed, otherwise a new one',
    '0f2d9b1e-6c1f-4a57-9d0e-3f7c5b8a9e42',
    true,
  ),
  'WWW-Authenticate': text('How to authenticate (RFC 9110, 11.6.1)', 'Bearer realm="w3ipfs"', true),
  'Retry-After': text('The seconds to wait before a retry (RFC 9110, 10.2.3)', '2', true),
  'RateLimit-Policy': text('The limits that the call counts against, if any', '"principal";q=60;w=60'),
  RateLimit: text(
    'The state of these limits: what remains, and the seconds until all of it is available again ' +
      '(draft-ietf-httpapi-ratelimit-headers)',
    '"principal";r=59;t=60',
  ),
};
type Name = keyof typeof HEADERS;

const RATE_HEADERS: Name[] = ['RateLimit-Policy', 'RateLimit'];
/** Headers that the status implies. */
const BY_STATUS: Record<string, Name[]> = {
  401: ['WWW-Authenticate'],
  409: ['Retry-After'],
  429: ['Retry-After', ...RATE_HEADERS],
  503: ['Retry-After'],
};
/** The errors that may occur after a call was charged; all others occur before. */
const AFTER_CHARGE = new Set<ErrorCode>([
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

/** Adds the common headers to every response of the document. */
export function documentHeaders({ paths, components = {} }: OpenAPIObject): void {
  components.headers = { ...components.headers, ...HEADERS };
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path) as { responses: Responses }[])) {
    const charged = chargedStatuses(operation.responses);
    for (const [status, response] of Object.entries(operation.responses)) {
      const names: Name[] = ['X-Request-Id', ...(BY_STATUS[status] ?? [])];
      if (charged.includes(status)) names.push(...RATE_HEADERS);
      const references = names.map((name) => [name, { $ref: `#/components/headers/${name}` }]);
      response.headers = { ...response.headers, ...Object.fromEntries(references) };
    }
  }
}

/**
 * The statuses whose calls were charged. An operation is charged if it may use up a key: before the work or, for a gateway
 * that only asks for a verdict, with the verdict.
 */
function chargedStatuses(responses: Responses): string[] {
  const statuses = Object.keys(responses);
  if (!statuses.some((status) => codesOf(responses[status]).includes('usage_exceeded'))) return [];
  const mayBeCharged = (status: string) => codesOf(responses[status]).some((code) => AFTER_CHARGE.has(code));
  return responses['200']?.content ? ['200', ...statuses.filter(mayBeCharged)] : ['200'];
}

function codesOf(response?: Response): ErrorCode[] {
  return Object.keys(response?.content?.['application/json']?.examples ?? {}) as ErrorCode[];
}
