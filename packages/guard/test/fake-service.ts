import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FakeFeed } from './fake-feed.js';
import { FakeKeys } from './fake-keys.js';

export const TOKEN = 'token-of-the-fake-service-0123456789';

/** A request that the fake has received. */
export interface Received {
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** By the steady clock. */
  readonly at: number;
}

type Route = 'changes' | 'verify' | 'reports';
/** An answer in place of the real one; `hang`: none; `reset`: the connection is cut; `break`: in the middle of it. */
type Override = 'hang' | 'reset' | 'break' | { status: number; body?: string; headers?: Record<string, string> };

/** The endpoints that a guard uses, in this process, over HTTP. */
export class FakeService {
  readonly keys = new FakeKeys();
  readonly feed = new FakeFeed();
  readonly received: Received[] = [];
  readonly overrides = new Map<Route, Override>();
  /** Called before a verdict is given; it may wait. */
  beforeVerdict: () => Promise<void> | void = () => undefined;
  token = TOKEN;
  /** Of a process that lags. */
  verdictPosition: string | undefined;
  /** How many questions for verdicts are cut off on connections that were used before. */
  resetKept = 0;
  private server: Server | undefined;
  private port = 0;
  private readonly used = new WeakSet<object>();

  static async start(): Promise<FakeService> {
    const service = new FakeService();
    await service.listen();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts, on the same port as before. */
  async listen(target: number | string = this.port): Promise<void> {
    const server = createServer((request, response) => {
      this.receive(request, response).catch((error: Error) => response.destroy(error));
    });
    this.server = server;
    if (typeof target === 'string') server.listen(target);
    else server.listen(target, '127.0.0.1');
    await once(server, 'listening');
    if (typeof target === 'number') this.port = (server.address() as AddressInfo).port;
  }

  /** Ends all connections: nothing listens any more. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Changes a key, and tells the guards. */
  change(apiKey: string, edit: Parameters<FakeKeys['edit']>[1] = {}): void {
    this.keys.edit(apiKey, edit);
    this.feed.commit(apiKey);
  }

  to(route: Route): Received[] {
    return this.received.filter((one) => one.route === route);
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '', this.url);
    const route = pathname.replace('/api/apiKeys/', '') as Route;
    const text = await textOf(request);
    const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
    this.received.push({ route, query, body, at: performance.now() });
    const override = this.overrides.get(route);
    if (override === 'hang' || this.isCutOff(route, request)) return;
    if (override === 'reset') return void request.socket.destroy();
    if (override === 'break') return void response.writeHead(200).write('{', () => request.socket.resetAndDestroy());
    if (override) return void response.writeHead(override.status, override.headers).end(override.body ?? '');
    if (request.headers.authorization !== `Bearer ${this.token}`)
      return answer(response, 401, failure('unauthenticated', 'This token is not known.'));
    const { status, data } = await this.answerTo(route, query, body);
    answer(response, status, status < 400 ? { data, status: 'success' } : data);
  }

  private isCutOff(route: Route, { socket }: IncomingMessage): boolean {
    const wasUsed = this.used.has(socket);
    this.used.add(socket);
    if (route !== 'verify' || this.resetKept === 0 || !wasUsed) return false;
    this.resetKept--;
    socket.resetAndDestroy();
    return true;
  }

  private async answerTo(route: Route, query: URLSearchParams, body: Record<string, unknown>) {
    if (route === 'reports') return { status: 202, data: { accepted: (body['counts'] as unknown[]).length } };
    if (route === 'verify') {
      const { epoch } = this.feed;
      const position = this.verdictPosition ?? String(this.feed.position);
      await this.beforeVerdict();
      return this.keys.verify(body, { position, epoch });
    }
    return this.feed.answer(query);
  }
}

export function failure(code: string, message: string): object {
  return { status: 'error', error: { code, message }, request_id: 'r' };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
