import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KeySet } from './key-set.js';
import { KeySetEndpoint } from './key-set-endpoint.js';

let server: Server;
let address: string;
let answer: (response: ServerResponse) => void;
let headers: IncomingHttpHeaders;
let url: string | undefined;

beforeEach(async () => {
  answer = (response) => response.end('{"keys":[]}');
  server = createServer((request, response) => {
    ({ headers, url } = request);
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const failureOf = (endpoint: KeySetEndpoint) =>
  endpoint.fetch().then(
    () => 'none',
    (error: Error) => error.message,
  );

it('is called by its host and port, whatever else is in its URL', () => {
  expect(new KeySetEndpoint('https://user:word@accounts.example/jwks?key=x').name).toBe('accounts.example:443');
  expect(new KeySetEndpoint('http://accounts.example/').name).toBe('accounts.example:80');
  expect(new KeySetEndpoint('http://[::1]:8080/').name).toBe('[::1]:8080');
});

it.each([
  ['user:word', 'user:word'],
  ['user', 'user:'],
  [':word', ':word'],
  ['us%40er:w%3Ao%20rd%C3%A9', 'us@er:w:o rdé'],
  ['100%:word', '100%:word'],
])('sends the credentials in its URL as Basic: %s', async (given, sent) => {
  const set = await new KeySetEndpoint(`http://${given}@${address}/jwks?x=1`).fetch();
  expect(set).toBeInstanceOf(KeySet);
  expect([url, headers.authorization]).toEqual(['/jwks?x=1', `Basic ${Buffer.from(sent).toString('base64')}`]);
});

it('sends none where it has none', async () => {
  await new KeySetEndpoint(`http://${address}/jwks`).fetch();
  expect(headers.authorization).toBeUndefined();
});

it.each<[string, (response: ServerResponse) => void, RegExp]>([
  ['an error', (response) => response.writeHead(503).end('{"keys":[]}'), /status 503$/],
  ['a redirect', (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /status 302$/],
  ['no JSON', (response) => response.end('<html>'), /not a JSON Web Key Set$/],
  ['no set', (response) => response.end('{"keys":{}}'), /not a JSON Web Key Set$/],
  ['too much', (response) => response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`), /larger than 256 KiB$/],
  [
    'half of it',
    (response) => response.writeHead(200, { 'content-length': '20' }).end('{', () => response.destroy()),
    /./,
  ],
  ['nothing', (response) => response.destroy(), /connection failed \(\w+\)$/],
])('names itself and the reason where it answers with %s, and no secret', async (_, respond, reason) => {
  answer = respond;
  const message = await failureOf(new KeySetEndpoint(`http://user:word@${address}/path?key=x`));
  expect(message).toMatch(reason);
  expect(message.startsWith(`The key set at ${address} cannot be fetched: `)).toBe(true);
  expect(message).not.toMatch(/user|word|path|key=x/);
});

it('names the reason if no server listens', async () => {
  server.close();
  expect(await failureOf(new KeySetEndpoint(`http://user:word@${address}/`))).toBe(
    `The key set at ${address} cannot be fetched: the connection failed (ECONNREFUSED)`,
  );
});

it('waits for three seconds at the most', async () => {
  answer = (response) => response.write('{');
  const message = await failureOf(new KeySetEndpoint(`http://${address}/`));
  expect(message).toBe(`The key set at ${address} cannot be fetched: no response within 3 s`);
});
