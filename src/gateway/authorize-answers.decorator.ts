import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiQuery, ApiResponse } from '@nestjs/swagger';
import { SCOPES } from '../principals/scopes.js';
import { ApiErrorsWithHeaders } from '../openapi/answers.decorator.js';
import { REFUSALS } from '../http/errors/refusals.js';

const SCOPE_NOTE =
  'What the request needs: the name of a scope, or several with commas between them, of which all are needed. ' +
  'Without it, the route in the headers decides.';
const DENY_NOTE =
  'For nginx, which understands 401 and 403 alone: turns every other refusal into 403, ' +
  'so that ambiguous credentials come as 403 too. `X-W3IPFS-Code` tells them apart.';

export const AUTHORIZE_NOTE = `What a request needs is said by \`scope\`, or by the route table, applied to the method and path in
the headers; a route that the table lacks needs \`admin\`. Paths are matched without regard to case. A path of more than 2,048
characters, or with other characters in its segments than letters, digits and \`- . _ ~\` (percent-encoding among them), with dot
segments or doubled slashes, is refused to everyone: servers read such paths differently.

A query of this request that is in the client's own is refused (400): a gateway that passes the client's query on would let
the client choose its scope.

Gateways that send the original method and path under a prefix (Envoy, Istio, the Gateway API) ask
\`/api/apiKeys/authorize/at\`, followed by the path, with the method of the request that they hold; its query is the
client's, and decides nothing.`;

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
  'X-W3IPFS-Scope': text('Which scopes were missing, blanks between them, if it was for that', 'pinning.unpin'),
};

const IDENTITY = {
  'X-W3IPFS-Owner': text(
    'Whose request it is; empty for a public route. Whatever is not visible ASCII, and `%`, is percent-encoded: `decodeURIComponent` gives the owner',
    '0714f35b-08aa-4c2b-9df4-ddaa276d4ed0',
  ),
  'X-W3IPFS-Key-Id': text(
    'The id of the key; empty for a session and for a public route',
    '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  ),
  'X-W3IPFS-Scopes': text(
    'The scopes that the client effectively has, blanks between them; empty for a public route',
    'pinning.unpin',
  ),
  'X-W3IPFS-Code': {
    description: 'The verdict; empty for a public route, where nobody is asked who calls',
    schema: { type: 'string' as const, enum: ['VALID', ''] },
  },
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
    original('X-Original-URL', 'The same as a whole URL (ingress-nginx)', 'https://api.example.com/api/pinning/pins'),
    original('X-Forwarded-Method', 'The same from Traefik and Caddy; where both are given, both must agree', 'GET'),
    original('X-Forwarded-Uri', 'The same from Traefik and Caddy', '/api/pinning/pins?limit=5'),
    ApiResponse({
      status: 200,
      description: `Let it pass. The body is empty. Scopes: ${SCOPES.join(', ')}.`,
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
