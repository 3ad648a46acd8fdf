import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { RedisConnection } from './redis-connection.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  jest.restoreAllMocks();
});

/** The logged reason for a server that does this with each connection. */
async function reasonFor(serve: (socket: Socket) => void, scheme = 'redis'): Promise<string> {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  server = createServer((socket) => serve(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = new RedisConnection(`${scheme}://127.0.0.1:${port}`, {
    probe: (to) => to.run({ source: 'return 1', sha1: '' }, 'key', []),
    catchUp: async () => {},
  });
  await connection.open();
  await connection.close();
  return String(warn.mock.calls[0]?.[0]).replace(/^.*?unavailable \((.*)\): .*$/, '$1');
}

it.each<[string, (socket: Socket) => void]>([
  ['the server is not Redis', (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n'))],
  ['the connection was closed; is it Redis?', (socket) => socket.once('data', () => socket.end())],
  [
    'NOAUTH Authentication required',
    (socket) => socket.on('data', () => socket.write('-NOAUTH Authentication required.\r\n')),
  ],
])('reports about REDIS_URL: %s', async (reason, serve) => {
  expect(await reasonFor(serve)).toBe(reason);
});

it('reports that a server without TLS does not reply', async () => {
  expect(await reasonFor((socket) => socket.resume(), 'rediss')).toMatch(
    /^no reply; is it Redis, and does it use TLS only if/,
  );
});
