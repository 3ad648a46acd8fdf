import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { closeRequestSchemas } from './closed-requests.js';
import { documentHeaders } from './headers.js';
import { protectPage } from './page-policy.js';
import { addSecuritySchemes } from './security.js';
import { TAGS } from './tags.js';
import { withPlainSchemas } from './plain-schemas.js';

const DESCRIPTION = `Issues, limits, verifies, lists, reads, revokes and tests the API keys of W3IPFS.

Credentials:

- Calls of clients, and of gateways on their behalf, take a session (\`Authorization: Bearer <JWT>\`) or an API key: in
  the two headers \`pinning_api_key\` and \`pinning_secret_key\` (or with hyphens), in one string (\`Authorization: Bearer
  <api_key>.<secret_key>\`), or by HTTP Basic (\`api_key\` as user, \`secret_key\` as password); in exactly one of these ways.
- \`/api/apiKeys/verify\`, its batch and \`/metrics\` take a service token (\`Authorization: Bearer <service token>\`).
- \`/api/apiKeys/report-leak\` and \`/health\` take no credentials.

Paths are matched without regard to case, with or without a trailing slash. Every response has \`X-Request-Id\`.

Not listed for each operation: a request that is not valid HTTP is answered with 400 \`validation_failed\`, or 431
\`payload_too_large\` if its headers are too large; an unknown path, with 404 \`route_not_found\`; a method that a path does
not allow, with 405 \`method_not_allowed\`. All of them have the envelope of every failure.`;

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;

/** The OpenAPI document (3.1.0) of the application's routes. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('W3IPFS API keys')
    .setVersion('1')
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service');
  for (const [tag, description] of Object.entries(TAGS)) builder.addTag(tag, description);
  const document = SwaggerModule.createDocument(app, addSecuritySchemes(builder).build());
  closeRequestSchemas(document);
  documentPublicOperations(document);
  documentHeaders(document);
  sortPaths(document);
  return withPlainSchemas(document) as OpenAPIObject;
}

/** States explicitly that an operation needs no credentials. */
function documentPublicOperations({ paths }: OpenAPIObject): void {
  for (const operation of operationsOf(paths)) operation.security ??= [];
}

/**
 * Sorts paths by tag and length: a collection, then its members, then their actions. Tools that ignore tags show the
 * operations in this order.
 */
function sortPaths(document: OpenAPIObject): void {
  const tags = Object.keys(TAGS);
  const place = (path: PathItem) =>
    Math.min(...operationsOf({ path }).map(({ tags: [tag = ''] = [] }) => tags.indexOf(tag)));
  const sorted = Object.entries(document.paths).toSorted(
    ([aName, a], [bName, b]) => place(a) - place(b) || aName.length - bName.length,
  );
  document.paths = Object.fromEntries(sorted);
}

function operationsOf(paths: OpenAPIObject['paths']): Operation[] {
  return Object.values(paths).flatMap((path) => Object.values(path) as Operation[]);
}

export const PAGE = '/docs';
export const DOCUMENT = '/openapi.json';
const PAGE_FILE = /^\/(?:docs(?:\/|$)|openapi\.json$)/;

/** Serves the document at `/openapi.json`, and an interactive page at `/docs`. */
export function serveDocument(app: INestApplication): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('onRoute', (route) => {
    if (PAGE_FILE.test(route.url)) protectPage(route);
  });
  SwaggerModule.setup(PAGE, app, createDocument(app), {
    jsonDocumentUrl: DOCUMENT,
    raw: ['json'],
    // Without the top bar, which selects other documents and whose logo has inline styles
    swaggerOptions: { layout: 'BaseLayout' },
  });
}
