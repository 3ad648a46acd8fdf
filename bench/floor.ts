import Fastify from 'fastify';

/**
 * The floor: what a bare Fastify server makes of the same requests. It parses the same bodies,
 * reads the same headers and sends as many bytes back, and does nothing in between.
 */
const [created, tested] = process.argv
  .slice(2)
  .map((size) => JSON.stringify({ filler: 'x'.repeat(Number(size) - 13) }));

const server = Fastify();
const answer =
  (text: string | undefined) => (_: unknown, reply: { type(type: string): { send(body: unknown): void } }) =>
    reply.type('application/json; charset=utf-8').send(text);
server.post('/api/apiKeys/', answer(created));
server.get('/api/apiKeys/testAuthentication/', answer(tested));

console.log(`at ${await server.listen({ port: 0, host: '127.0.0.1' })}`);
