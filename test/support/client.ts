import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { trackSecret } from './log.js';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  // Tests assert its shape
  body: any;
  text: string;
}

export interface CallOptions {
  headers?: Record<string, string | string[]>;
  /** Sent as JSON, unless it is a string or a Buffer. */
  body?: unknown;
}

/** Sends HTTP verbatim, well-formed or not; `fetch` would normalize headers. */
export class Client {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(readonly url: string) {}

  call(method: string, path: string, { headers = {}, body }: CallOptions = {}): Promise<Answer> {
    trackSecrets(headers, body);
    const payload = typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body);
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) };
    return new Promise((resolve, reject) => {
      const options = { method, agent: this.agent, headers: { ...type, ...length, ...headers }, path };
      const outgoing = request(this.url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = response.headers['content-type']?.startsWith('application/json') && text !== '';
          const status = response.statusCode ?? 0;
          const answer = { status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
          for (const name of SECRET_MEMBERS) trackSecret(answer.body?.data?.[name]);
          resolve(answer);
        });
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }

  get(path: string, headers: CallOptions['headers'] = {}): Promise<Answer> {
    return this.call('GET', path, { headers });
  }

  post(path: string, headers: CallOptions['headers'], body?: unknown): Promise<Answer> {
    return this.call('POST', path, { headers: headers ?? {}, body });
  }

  delete(path: string, headers: CallOptions['headers'] = {}): Promise<Answer> {
    return this.call('DELETE', path, { headers });
  }

  close(): void {
    this.agent.destroy();
  }
}

const SECRET_HEADERS = new Set(['authorization', 'pinning_secret_key', 'pinning-secret-key', 'idempotency-key']);

const SECRET_MEMBERS = ['secret_key', 'credential'];

function trackSecrets(headers: Record<string, string | string[]>, body: unknown): void {
  for (const [name, value] of Object.entries(headers)) {
    if (SECRET_HEADERS.has(name.toLowerCase())) for (const one of [value].flat()) trackSecret(one.replace(/^\S+ /, ''));
  }
  for (const name of SECRET_MEMBERS) trackSecret((body as Record<string, unknown> | undefined)?.[name]);
}
