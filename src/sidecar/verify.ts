import { type Guard, GuardUnavailableError, type GuardVerdict } from '@w3ipfs/api-keys-guard';
import { refuseQuery } from '../http/validation/query-parameters.js';
import type { FullResponse } from '../http/write-response.js';
import type { ServiceTokens } from '../principals/service-tokens.js';
import { readVerifyBatch, readVerifyRequest } from '../verification/verify-request.js';
import type { VerifyRequest } from '../verification/verifier.js';
import type { SidecarRequest } from './answer.js';
import type { ServiceBodies } from './service-bodies.js';
import { undecidedJson, verdictJson } from './verdict-json.js';

/** Of a request that could not be decided: when to retry it. */
type BatchVerdict = GuardVerdict | Pick<GuardUnavailableError, 'retryAfterSeconds'>;

/** Requests of a batch that have not started by then are not started, as by the service. */
const MAX_BATCH_MS = 5_000;

/** Answers `POST /api/apiKeys/verify` and `/verify/batch` by the guard. */
export class Verification {
  constructor(
    private readonly guard: Guard,
    private readonly serviceTokens: ServiceTokens,
    private readonly bodies: ServiceBodies,
  ) {}

  /** @throws ApiError; GuardUnavailableError */
  async verify(request: SidecarRequest): Promise<FullResponse> {
    const verdict = await this.decide(readVerifyRequest(await this.bodyOf(request)));
    return { body: `{"data":${verdictJson(verdict)},"status":"success"}` };
  }

  /** @throws ApiError */
  async verifyBatch(request: SidecarRequest): Promise<FullResponse> {
    const requests = readVerifyBatch(await this.bodyOf(request));
    const startedAt = performance.now();
    const decide = (one: VerifyRequest): Promise<BatchVerdict> =>
      performance.now() - startedAt > MAX_BATCH_MS
        ? Promise.resolve({ retryAfterSeconds: 1 })
        : this.decideInBatch(one);
    /** The last request with each `api_key`: the next one waits for it, and is not decided either if that is not. */
    const latest = new Map<string, Promise<BatchVerdict>>();
    const verdicts = requests.map((one) => {
      const previous = latest.get(one.pair.apiKey);
      const verdict = previous ? previous.then((last) => ('code' in last ? decide(one) : last)) : decide(one);
      latest.set(one.pair.apiKey, verdict);
      return verdict;
    });
    const items = (await Promise.all(verdicts)).map((one) =>
      'code' in one ? verdictJson(one) : undecidedJson(one.retryAfterSeconds),
    );
    return { body: `{"data":{"verdicts":[${items.join()}]},"status":"success"}` };
  }

  /** Identifies the caller by the headers, then reads the body. */
  private async bodyOf({ raw }: SidecarRequest): Promise<object | undefined> {
    this.bodies.check(raw);
    this.serviceTokens.identify(raw);
    const body = await this.bodies.receive(raw);
    refuseQuery(raw.url);
    return body;
  }

  private decide({ pair, requirements: { scopes, ip, cost } }: VerifyRequest) {
    return this.guard.check(pair, {
      cost,
      ...(scopes.length > 0 && { scope: scopes }),
      ...(ip !== undefined && { ip }),
    });
  }

  private async decideInBatch(request: VerifyRequest): Promise<BatchVerdict> {
    try {
      return await this.decide(request);
    } catch (error) {
      if (error instanceof GuardUnavailableError) return error;
      throw error;
    }
  }
}
