import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { protectPage } from './page-policy.js';
import { addSecuritySchemes } from './security.js';

const DESCRIPTION = `Issues, limits, verifies, lists, reads, revokes and tests the API keys of W3IPFS.

Every call takes either a session (\`Authorization: Bearer <JWT>\`) or an API key: in the two headers
\`pinning_api_key\` and \`pinning_secret_key\` (hyphens are taken too), in one string (\`Authorization: Bearer
<api_key>.<secret_key>\`), or by HTTP Basic (\`api_key\` as user, \`secret_key\` as password); in one of these ways
alone. Paths work with and without a
trailing slash. Every answer carries \`X-Request-Id\`.

What is not listed at each operation: a request that is not readable HTTP is answered with 400 \`validation_failed\`, or 431
\`payload_too_large\` where its headers are too long; a path that there is not, with 404 \`route_not_found\`; a method that a
path does not take, with 405 \`method_not_allowed\`. All of them have the envelope of every failure.`;

/** The OpenAPI document (3.1.0) of the application's routes. */
export function createDocument(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('W3IPFS API keys')
    .setVersion('1')
    .setDescription(DESCRIPTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addTag('API keys')
    .addTag('Verification')
    .addTag('Gateways')
    .addTag('Health')
    .addTag('Operations');
  const document = SwaggerModule.createDocument(app, addSecuritySchemes(builder).build());
  closeRequestSchemas(document);
  return withNullTypes(document) as OpenAPIObject;
}

/** What clients send has no unknown properties; what they get may have more one day. */
function closeRequestSchemas({ components }: OpenAPIObject): void {
  for (const [name, schema] of Object.entries(components?.schemas ?? {})) {
    if (/^Create|^Given|Request$|Scopes$/.test(name)) Object.assign(schema, { additionalProperties: false });
  }
}

/** 3.1 has no `nullable`, which the generator still writes: it is one of the types there. */
function withNullTypes(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withNullTypes);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = node as { nullable?: boolean; type?: string };
  const entries = Object.entries(rest).map(([name, value]) => [name, withNullTypes(value)]);
  return { ...Object.fromEntries(entries), ...(nullable === true && { type: [rest.type, 'null'] }) };
}

const PAGE = '/docs';
const PAGE_FILE = /^\/(?:docs(?:\/|$)|openapi\.json$)/;

/** Serves the document at `/openapi.json`, and a page to read and try it at `/docs`. */
export function serveDocument(app: INestApplication): void {
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('onRoute', (route) => {
    if (PAGE_FILE.test(route.url)) protectPage(route);
  });
  SwaggerModule.setup(PAGE, app, createDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    // Without the bar on top, which is for choosing another document, and whose logo brings a style of its own
    swaggerOptions: { layout: 'BaseLayout' },
  });
}
