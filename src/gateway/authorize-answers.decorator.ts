import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { SCOPES } from '../principals/scopes.js';
import { ApiErrorsWithHeaders } from '../openapi/answers.decorator.js';
import { REFUSALS } from '@w3ipfs/api-keys-guard/decision';

const SCOPE_NOTE =
  'The scopes that the request needs, all of them, separated by commas. Without it, the route in the headers decides.';
const DENY_NOTE =
  'For nginx, which understands only 401 and 403: every other refusal becomes 403, ambiguous credentials included. ' +
  '`X-W3IPFS-Code` distinguishes them.';

export const AUTHORIZE_NOTE = `The required scopes are those in \`scope\`, or those of the route table for the method and path in the
headers; a route that is not in the table needs \`admin\`. Paths are case-insensitive. A path is denied to every caller if it has
more than 2,048 characters, characters in its segments other than letters, digits and \`- . _ ~\` (so percent-encoding too), dot
segments or double slashes: servers read such paths differently.

If this request's query is also in the client's own, it is rejected (400): a gateway that forwards the client's query would
let the client choose its scope.

Gateways that send the original method and path under a prefix (Envoy, Istio, the Gateway API) ask
\`/api/apiKeys/authorize/at\`, followed by the path, with the original method. The query is the client's, and is
ignored.`;

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
const missing = {
  'X-W3IPFS-Scope': text('The missing scopes, separated by blanks, if that is why', 'pinning.unpin'),
};

const IDENTITY = {
  'X-W3IPFS-Owner': text(
    'The owner; empty for a public route. Anything but visible ASCII, and `%`, is percent-encoded: `decodeURIComponent` restores it',
    '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0',
  ),
  'X-W3IPFS-Key-Id': text(
    'The id of the key; empty for a session and for a public route',
    '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  ),
  'X-W3IPFS-Scopes': text(
    'The effective scopes of the client, separated by blanks; empty for a public route',
    'pinning.unpin',
  ),
  'X-W3IPFS-Code': {
    description: 'The verdict; empty for a public route, where callers are not authenticated',
    schema: { type: 'string' as const, enum: ['VALID', ''] },
  },
};

function original(name: string, description: string, example: string): MethodDecorator {
  return ApiHeader({ name, description, required: false, schema: { type: 'string', example } });
}

/** Documents the requests of gateways and their responses. */
export function ApiAuthorizeAnswers(): MethodDecorator {
  return applyDecorators(
    ApiQuery({ name: 'scope', required: false, description: SCOPE_NOTE, example: 'pinning.unpin', type: String }),
    ApiQuery({ name: 'deny', required: false, description: DENY_NOTE, enum: ['403'] }),
    original('X-Original-Method', 'The method of the original request (nginx)', 'GET'),
    original('X-Original-URI', 'Its path and query, as the client sent them (nginx)', '/api/pinning/pins?limit=5'),
    original('X-Original-URL', 'The same as a whole URL (ingress-nginx)', 'https://api.example.com/api/pinning/pins'),
    original('X-Forwarded-Method', 'The same from Traefik and Caddy; if both are given, they must agree', 'GET'),
    original('X-Forwarded-Uri', 'The same from Traefik and Caddy', '/api/pinning/pins?limit=5'),
    ApiResponse({
      status: 200,
      description: `The request may pass. The body is empty. Scopes: ${SCOPES.join(', ')}.`,
      headers: IDENTITY,
    }),
    ApiErrorsWithHeaders(
      { 400: code, 401: code, 403: { ...code, ...missing }, 429: code },
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
