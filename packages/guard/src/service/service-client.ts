import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ServiceAddress, Settings } from '../input/options.js';
import { type Answer, NoAnswerError, readAnswer } from './answer.js';
import { startDeadline } from './deadline.js';

/** Many questions, one held question about changes, and those that were given up and may yet be answered. */
const MAX_SOCKETS = 80;
const MAX_ANSWER_BYTES = 16 * 1_048_576;
const { version: VERSION } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
/** The server closed a kept connection while the request was on its way. */
const CLOSED_MEANWHILE = new Set(['ECONNRESET', 'EPIPE']);

/** A request to the service. */
export interface ServiceRequest {
  readonly method: 'GET' | 'POST';
  /** Below `/api/apiKeys`. */
  readonly path: string;
  readonly body?: string;
  /** For how long an answer is awaited, in milliseconds of a running event loop. */
  readonly limitMs: number;
  /** Whether the process may end while it is under way. */
  readonly isBackground?: boolean;
}

/** Speaks HTTP to the service, over connections that are kept. */
export class ServiceClient {
  private readonly agent: HttpAgent;
  private readonly request: typeof httpRequest;
  private readonly address: ServiceAddress;
  private readonly headers: Record<string, string>;

  /** @param id under which the guard reports */
  constructor({ address, token }: Pick<Settings, 'address' | 'token'>, id: string) {
    const options = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.agent = address.isSecure ? new HttpsAgent(options) : new HttpAgent(options);
    this.request = address.isSecure ? httpsRequest : httpRequest;
    this.address = address;
    this.headers = {
      Authorization: `Bearer ${token}`,
      Accept: 'application/json',
      // The service counts guards by it, and remembers which changes it has sent to each
      'User-Agent': `w3ipfs-api-keys-guard/${VERSION} (${id})`,
    };
  }

  /** @throws NoAnswerError */
  send(request: ServiceRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.attempt(request, resolve, reject, true);
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private attempt(
    asked: ServiceRequest,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
    mayRepeat: boolean,
  ): void {
    const { limitMs } = asked;
    const request = this.open(asked);
    const cancel = startDeadline(limitMs, () => {
      request.destroy(new NoAnswerError(`The service did not answer within ${limitMs} ms`));
    });
    // Node may keep a request and its listeners until the next one on its connection: without the pair that was asked about
    let pending: ServiceRequest | undefined = asked;
    request.once('response', (response) => {
      pending = undefined;
      collect(response, (error, text) => {
        cancel();
        if (error) return reject(error);
        try {
          resolve(readAnswer(response.statusCode ?? 0, response.headers['retry-after'], text));
        } catch (problem) {
          reject(problem as Error);
        }
      });
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      cancel();
      // An answer that breaks off is not a reason to repeat: the service has done what was asked
      const unanswered = pending;
      pending = undefined;
      if (unanswered && mayRepeat && request.reusedSocket && CLOSED_MEANWHILE.has(error.code ?? ''))
        return this.attempt(unanswered, resolve, reject, false);
      reject(toNoAnswer(error));
    });
    // Also after an answer that Node gives to nobody, such as 101 Switching Protocols
    request.once('close', () => {
      if (!pending) return;
      pending = undefined;
      cancel();
      reject(new NoAnswerError('The connection to the service was closed without an answer'));
    });
    request.end(asked.body);
  }

  private open({ method, path, body, isBackground }: ServiceRequest): ClientRequest {
    const { hostname, port, socketPath, prefix } = this.address;
    const headers =
      body === undefined
        ? this.headers
        : { ...this.headers, 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) };
    const request = this.request({
      agent: this.agent,
      ...(socketPath === undefined ? { hostname, port } : { socketPath }),
      method,
      path: `${prefix}/api/apiKeys${path}`,
      headers,
    });
    if (isBackground) request.once('socket', (socket) => socket.unref());
    return request;
  }
}

/** Calls back once, with the whole body or with the error that cut it off. */
function collect(response: IncomingMessage, callback: (error: NoAnswerError | undefined, text: string) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) response.destroy(new NoAnswerError('The answer is too large'));
  });
  response.once('end', () => callback(undefined, text));
  response.once('error', (error) => callback(toNoAnswer(error), ''));
}

function toNoAnswer(error: Error): NoAnswerError {
  if (error instanceof NoAnswerError) return error;
  return new NoAnswerError(`The service did not answer: ${error.message}`, { cause: error });
}
