import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

interface ReceivedRequest {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

interface PreparedAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A server that keeps the requests of each test, and gives the same answer to all of them until it is changed. */
export function useServer() {
  const state = { url: '', requests: [] as ReceivedRequest[], answer: {} as PreparedAnswer | 'none' };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      state.requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      if (state.answer === 'none') return;
      const { status = 200, body = { data: {}, status: 'success' } } = state.answer;
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const type = typeof body === 'string' ? 'text/html' : 'application/json';
      response.writeHead(status, { 'Content-Type': type, ...state.answer.headers }).end(text);
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    state.requests = [];
    state.answer = {};
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return state;
}
