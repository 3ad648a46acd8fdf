import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { FastPath } from '../http/fast-path.js';
import type { FastPathRequest } from '../http/fast-path-routes.js';
import { refuseQuery } from '../http/validation/query-parameters.js';
import type { FullResponse } from '../http/write-response.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import type { BatchVerdict } from './batch-run.js';
import { batchVerdictJson, verdictJson } from './verdict-json.js';
import type { Verdict } from './verdict.js';
import { Verifier } from './verifier.js';
import { readVerifyBatch, readVerifyRequest, weightOfBatch } from './verify-request.js';

/** Answers services without the pipeline; `VerificationController` gives the same responses behind it. */
@Injectable()
export class VerifyFastPath {
  constructor(
    fastPath: FastPath,
    serviceTokens: ServiceTokens,
    private readonly verifier: Verifier,
  ) {
    const identify = (request: IncomingMessage) => serviceTokens.identify(request);
    fastPath.register({
      method: 'POST',
      path: '/api/apiKeys/verify',
      identify,
      respond: (request) => this.verify(request),
    });
    fastPath.register({
      method: 'POST',
      path: '/api/apiKeys/verify/batch',
      identify,
      weigh: weightOfBatch,
      respond: (request) => this.verifyBatch(request),
    });
  }

  private verify({ raw, body, context }: FastPathRequest): FullResponse | Promise<FullResponse> {
    refuseQuery(raw.url);
    const { pair, requirements } = readVerifyRequest(body);
    const respond = (verdict: Verdict): FullResponse => {
      context.verdict = verdict.code;
      context.keyId = verdict.key?.id;
      return { body: `{"data":${verdictJson(verdict)},"status":"success"}` };
    };
    const verdict = this.verifier.verify(pair, requirements);
    return verdict instanceof Promise ? verdict.then(respond) : respond(verdict);
  }

  private async verifyBatch({ raw, body }: FastPathRequest): Promise<FullResponse> {
    refuseQuery(raw.url);
    return respondToBatch(await this.verifier.verifyInOrder(readVerifyBatch(body)));
  }
}

function respondToBatch(verdicts: readonly BatchVerdict[]): FullResponse {
  return { body: `{"data":{"verdicts":[${verdicts.map(batchVerdictJson).join()}]},"status":"success"}` };
}
