import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { RedisConnection } from './redis-connection.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  jest.restoreAllMocks();
});

/** What is said of a server that does this with each connection. */
async function saidOf(answer: (socket: Socket) => void, scheme = 'redis'): Promise<string> {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  server = createServer((socket) => answer(socket.on('error', () => {})));
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
  [
    'what answers there is not Redis',
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n')),
  ],
  ['the connection was closed; is it Redis?', (socket) => socket.once('data', () => socket.end())],
  [
    'NOAUTH Authentication required',
    (socket) => socket.on('data', () => socket.write('-NOAUTH Authentication required.\r\n')),
  ],
])('says of what is in REDIS_URL: %s', async (words, answer) => {
  expect(await saidOf(answer)).toBe(words);
});

it('says that a server without TLS does not answer to it', async () => {
  expect(await saidOf((socket) => socket.resume(), 'rediss')).toMatch(/^no answer; is it Redis, and TLS only where/);
});
