import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { SCOPES } from '../../api-keys/scopes.js';
import { ApiErrorsWithHeaders } from '../../openapi/answers.decorator.js';
import { REFUSALS } from '../../verification/verdict.js';

const SCOPE_NOTE =
  'What the request needs: the name of a scope, or several with commas between them, of which all are needed. ' +
  'Without it, the route in the headers decides.';
const DENY_NOTE =
  'For nginx, which understands 401 and 403 alone: turns every other refusal into 403, ' +
  'so that ambiguous credentials come as 403 too. `X-W3IPFS-Code` tells them apart.';

const text = (description: string, example: string) => ({
  description,
  schema: { type: 'string' as const, example },
});

const code = {
  'X-W3IPFS-Code': {
    description: "The verdict's code, whatever the status",
    schema: { type: 'string' as const, enum: [...REFUSALS] },
  },
};

const IDENTITY = {
  'X-W3IPFS-Owner': text(
    'Whose request it is. Whatever is not visible ASCII, and `%`, is percent-encoded: `decodeURIComponent` gives the owner',
    '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0',
  ),
  'X-W3IPFS-Key-Id': text('The id of the key; absent for a session', '01a20b9d-c4d9-7123-b878-6eb9911deb3f'),
  'X-W3IPFS-Scopes': text('The scopes that the client effectively has, blanks between them', 'pinning.unpin'),
  'X-W3IPFS-Code': { description: 'The verdict', schema: { type: 'string' as const, enum: ['VALID'] } },
};

function original(name: string, description: string, example: string): MethodDecorator {
  return ApiHeader({ name, description, required: false, schema: { type: 'string', example } });
}

/** Documents what a gateway asks, and all that it may be answered. */
export function ApiAuthorizeAnswers(): MethodDecorator {
  return applyDecorators(
    ApiQuery({ name: 'scope', required: false, description: SCOPE_NOTE, example: 'pinning.unpin', type: String }),
    ApiQuery({ name: 'deny', required: false, description: DENY_NOTE, enum: ['403'] }),
    original('X-Original-Method', 'The method of the request that the gateway holds (nginx)', 'GET'),
    original('X-Original-URI', 'Its path and query, as the client sent them (nginx)', '/api/pinning/pins?limit=5'),
    original('X-Forwarded-Method', 'The same from Traefik; where both are given, both must say the same', 'GET'),
    original('X-Forwarded-Uri', 'The same from Traefik', '/api/pinning/pins?limit=5'),
    ApiResponse({
      status: 200,
      description: `Let it pass. The body is empty. Scopes: ${SCOPES.join(', ')}.`,
      headers: IDENTITY,
    }),
    ApiErrorsWithHeaders(
      { 400: code, 401: code, 403: code, 429: code },
      'validation_failed',
      'ambiguous_credentials',
      'unauthenticated',
      'ip_not_allowed',
      'insufficient_scope',
      'rate_limited',
      'usage_exceeded',
      'internal',
      'unavailable',
    ),
  );
}
