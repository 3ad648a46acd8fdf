import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { duplexPair } from 'node:stream';

/** A request with these header lines (`Name: value`), as Node's own parser reads it from a connection. */
export async function parsedRequest(lines: readonly string[], start = 'GET /'): Promise<IncomingMessage> {
  const server = createServer({ requireHostHeader: false });
  // Node treats `Expect` apart
  for (const event of ['checkContinue', 'checkExpectation'])
    server.on(event, (...exchange) => server.emit('request', ...exchange));
  const [client, connection] = duplexPair();
  const received = once(server, 'request') as Promise<[IncomingMessage]>;
  server.emit('connection', connection);
  client.write([`${start} HTTP/1.1`, ...lines, '', ''].join('\r\n'), 'latin1');
  const [request] = await received;
  client.destroy();
  return request;
}
