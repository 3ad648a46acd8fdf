import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PAIR_HEADERS } from './fake-guard.js';

/** What the tests compare of an answer. */
export interface Answer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Calls a server once with the pair of the tests, or with other headers. */
export async function call(url: string, headers: Record<string, string> = PAIR_HEADERS): Promise<Answer> {
  const response = await fetch(url, { headers: { connection: 'close', ...headers } });
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  const body: unknown = isJson ? await response.json() : await response.text();
  return { status: response.status, headers: response.headers, body };
}

/** Serves a listener on a port of its own until the test ends. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const servers: (() => void)[] = [];

afterEach(() => {
  for (const close of servers.splice(0)) close();
});
