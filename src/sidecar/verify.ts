import { type Guard, GuardUnavailableError } from '@w3ipfs/api-keys-guard';
import { refuseQuery } from '../http/validation/query-parameters.js';
import type { FullResponse } from '../http/write-response.js';
import type { ServiceTokens } from '../principals/service-tokens.js';
import { readVerifyBatch, readVerifyRequest } from '../verification/verify-request.js';
import type { SidecarRequest } from './answer.js';
import type { ServiceBodies } from './service-bodies.js';
import { undecidedJson, verdictJson } from './verdict-json.js';

type VerifyRequest = ReturnType<typeof readVerifyRequest>;

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
    const decide = (one: VerifyRequest) =>
      performance.now() - startedAt > MAX_BATCH_MS ? undecidedJson(1) : this.decideInBatch(one);
    /** The last request with each `api_key`: the next one waits for it. */
    const latest = new Map<string, Promise<string>>();
    const verdicts = requests.map((one) => {
      const { apiKey } = one.pair;
      const verdict = (latest.get(apiKey) ?? Promise.resolve('')).then(() => decide(one));
      latest.set(apiKey, verdict);
      return verdict;
    });
    return { body: `{"data":{"verdicts":[${(await Promise.all(verdicts)).join()}]},"status":"success"}` };
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

  private async decideInBatch(request: VerifyRequest): Promise<string> {
    try {
      return verdictJson(await this.decide(request));
    } catch (error) {
      if (error instanceof GuardUnavailableError) return undecidedJson(error.retryAfterSeconds);
      throw error;
    }
  }
}
