import { Agent, type IncomingHttpHeaders, request as ask } from 'node:http';
import { text } from 'node:stream/consumers';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { createGuard } from '@w3ipfs/api-keys-guard';
import { apiKeysGuard } from '@w3ipfs/api-keys-guard/fastify';
import { type GuardSetup, SCOPE } from '../guard-setup.js';

/** How the route is protected: not at all, by the guard, or by asking the service for each request. */
export type Protection = 'bare' | 'guarded' | 'asking';

/** A Fastify server with one route, whose answer is the same with each protection. */
const { protection, ...setup } = JSON.parse(process.argv[2] ?? '{}') as GuardSetup & { protection: Protection };
const protect = { bare: () => undefined, guarded, asking }[protection];

const server = Fastify();
await protect(server);
const pins = { pins: ['QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPBdG'] };
server.get('/pins', { config: { scopes: [SCOPE] } }, () => pins);
console.log(`at ${await server.listen({ port: 0, host: '127.0.0.1' })}`);

async function guarded(app: FastifyInstance): Promise<void> {
  const guard = createGuard(setup);
  await guard.ready();
  await app.register(apiKeysGuard, { guard });
}

/** As a service does without the guard; the connections are kept. */
function asking(app: FastifyInstance): void {
  const agent = new Agent({ keepAlive: true });
  app.addHook('onRequest', async ({ headers, socket }: FastifyRequest, reply) => {
    if (!(await isValid(agent, headers, socket.remoteAddress))) await reply.code(401).send();
  });
}

async function isValid(agent: Agent, headers: IncomingHttpHeaders, ip: string | undefined): Promise<boolean> {
  const { pinning_api_key: api_key, pinning_secret_key: secret_key } = headers;
  const body = JSON.stringify({ api_key, secret_key, scope: SCOPE, ip });
  const answer = await new Promise<string>((resolve, reject) => {
    const question = ask(`${setup.url}/api/apiKeys/verify`, {
      method: 'POST',
      agent,
      headers: {
        authorization: `Bearer ${setup.token}`,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      },
    });
    question.on('response', (response) => void text(response).then(resolve, reject));
    question.on('error', reject).end(body);
  });
  return (JSON.parse(answer) as { data?: { valid: boolean } }).data?.valid === true;
}
