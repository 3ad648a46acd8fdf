import Fastify, { type HTTPMethods } from 'fastify';

/**
 * The floor: a bare Fastify server. It parses the same bodies, reads the same headers, and returns the same headers and as
 * many bytes, without any work in between.
 */
export interface FloorRoute {
  method: HTTPMethods;
  path: string;
  headers: Record<string, string>;
  /** The length of the answer's body: 0, or at least 13. */
  bytes: number;
}

const routes = JSON.parse(process.argv[2] ?? '[]') as FloorRoute[];
const server = Fastify();
for (const { method, path, headers, bytes } of routes) {
  const answer = bytes === 0 ? undefined : JSON.stringify({ filler: 'x'.repeat(bytes - 13) });
  server.route({ method, url: path.replace(/\?.*/, ''), handler: (_, reply) => reply.headers(headers).send(answer) });
}
console.log(`at ${await server.listen({ port: 0, host: '127.0.0.1' })}`);
