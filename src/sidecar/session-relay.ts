import * as http from 'node:http';
import * as https from 'node:https';
import { ConcurrencyLimit } from '../http/load/concurrency-limit.js';
import { KeyedConcurrency } from '../http/load/keyed-concurrency.js';
import { tooMany, UnavailableError } from '../http/errors/api-error.js';
import type { ServiceAddress } from './addresses.js';
import type { RawResponse, SidecarRequest } from './answer.js';

/** A session's keys may have to be fetched first. */
const LIMIT_MS = 5_000;
const MAX_QUESTIONS = 256;
/** Of one client: each token may be held for as long as its keys are fetched. */
const QUESTIONS_PER_CLIENT = { running: 32, queued: 100 };
/** The service's errors are shorter. */
const MAX_ANSWER_BYTES = 65_536;
/** Of one connection (RFC 9110, 7.6.1), about the body, which is not passed on, or set by the relay. */
const NOT_PASSED_ON = new Set(
  'connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length expect host x-forwarded-for x-request-id'.split(
    ' ',
  ),
);
const NOT_PASSED_BACK = new Set(['connection', 'keep-alive', 'date', 'trailer', 'transfer-encoding', 'upgrade']);
const WITHOUT_BODY = new Set(['GET', 'HEAD']);

/** Has the service answer a gateway's question about a session. */
export class SessionRelay {
  private readonly agent: http.Agent;
  private readonly questions = new ConcurrencyLimit(MAX_QUESTIONS, 'Too many sessions are being checked.');
  private readonly questionsByClient = new KeyedConcurrency(QUESTIONS_PER_CLIENT, () =>
    tooMany('Too many sessions of this client are being checked.'),
  );

  constructor(private readonly service: ServiceAddress) {
    this.agent = new (service.isSecure ? https : http).Agent({ keepAlive: true });
  }

  /**
   * The service's answer to the same request.
   *
   * @param ip the address of the client
   * @throws UnavailableError if the service does not answer, or too many questions are open
   */
  ask(request: SidecarRequest, ip: string | undefined): Promise<RawResponse> {
    return this.questionsByClient.run(ip ?? '', () => this.askInTurn(request, ip));
  }

  private async askInTurn(request: SidecarRequest, ip: string | undefined): Promise<RawResponse> {
    this.questions.acquire(1);
    try {
      const answer = await this.exchange(request, ip);
      if (isVerdict(answer)) return answer;
    } catch (cause) {
      throw unavailable(cause);
    } finally {
      this.questions.release(1);
    }
    throw unavailable();
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange({ raw, id }: SidecarRequest, ip: string | undefined): Promise<RawResponse> {
    const { service, agent } = this;
    const { method = 'GET', url = '', rawHeaders } = raw;
    const given = pairs(rawHeaders).filter(([name]) => !NOT_PASSED_ON.has(name.toLowerCase()));
    const headers = ['Host', service.authority, 'X-Request-Id', id, ...given.flat()];
    if (ip !== undefined) headers.push('X-Forwarded-For', ip);
    if (!WITHOUT_BODY.has(method)) headers.push('Content-Length', '0');
    const signal = AbortSignal.timeout(LIMIT_MS);
    return new Promise((resolve, reject) => {
      const options = { ...service.target, agent, method, path: service.prefix + url, headers, signal };
      const question = (service.isSecure ? https : http).request(options, (response) => {
        collect(response).then(resolve, reject);
      });
      question.on('error', reject);
      question.end();
    });
  }
}

async function collect(response: http.IncomingMessage): Promise<RawResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('The answer is too large');
    chunks.push(chunk);
  }
  const given = pairs(response.rawHeaders).filter(([name]) => !NOT_PASSED_BACK.has(name.toLowerCase()));
  return { status: response.statusCode ?? 0, rawHeaders: given.flat(), body: Buffer.concat(chunks) };
}

/** A gateway takes any 2xx for a permission, so one from something in front of the service must not reach it. */
function isVerdict({ status, rawHeaders }: RawResponse): boolean {
  if (status >= 400) return true;
  return (
    status === 200 && pairs(rawHeaders).some(([name, value]) => /^x-w3ipfs-code$/i.test(name) && value === 'VALID')
  );
}

function unavailable(cause?: unknown): UnavailableError {
  return new UnavailableError('Sessions cannot be checked right now. Try again in a moment.', {
    cause,
    retryAfterSeconds: 1,
  });
}

/** Names and values in turn as pairs. */
function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  return rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : []));
}
