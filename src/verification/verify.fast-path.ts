import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { FastPath } from '../http/fast-path.js';
import type { FastPathRequest } from '../http/fast-path-routes.js';
import { refuseQuery } from '../http/validation/query-parameters.js';
import type { FullResponse } from '../http/write-response.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { Grants } from './grants.js';
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
    private readonly grants: Grants,
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
    const { pair, requirements, wantsGrant } = readVerifyRequest(body);
    const { position } = this.grants;
    const respond = (verdict: Verdict): FullResponse => {
      context.verdict = verdict.code;
      context.keyId = verdict.key?.id;
      const grant = wantsGrant ? this.grants.with(verdict, position) : undefined;
      return { body: `{"data":${verdictJson(verdict, grant)},"status":"success"}` };
    };
    const verdict = this.verifier.verify(pair, requirements);
    return verdict instanceof Promise ? verdict.then(respond) : respond(verdict);
  }

  private async verifyBatch({ raw, body }: FastPathRequest): Promise<FullResponse> {
    refuseQuery(raw.url);
    const requests = readVerifyBatch(body);
    const { position } = this.grants;
    let items = '';
    for (const [index, verdict] of (await this.verifier.verifyInOrder(requests)).entries()) {
      if (index > 0) items += ',';
      items += batchVerdictJson(verdict, this.grants.forBatch(verdict, requests[index], position));
    }
    return { body: `{"data":{"verdicts":[${items}]},"status":"success"}` };
  }
}
