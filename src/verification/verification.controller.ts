import type { IncomingMessage } from 'node:http';
import { Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation } from '@nestjs/swagger';
import { Direct, type DirectAnswer, type DirectRequest } from '../http/direct.decorator.js';
import { PlatformOnly } from '../http/platform-only.decorator.js';
import { refuseQuery } from '../http/validation/query-parameters.js';
import { ApiErrors, ApiSuccess, WITH_BODY } from '../openapi/answers.decorator.js';
import { ApiForServices } from '../openapi/security.js';
import { VerdictBatchDto, VerdictDto } from './dto/verdict.dto.js';
import { ApiVerifyBody, BATCH_NOTE, VerifyBatchRequestDto } from './dto/verify-request.dto.js';
import { BATCH_EXAMPLE, BATCH_REQUEST_EXAMPLES, VERDICT_EXAMPLE } from './dto/verify-examples.js';
import type { BatchVerdict } from './batch-run.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { batchVerdictJson, verdictJson } from './verdict-json.js';
import type { Verdict } from './verdict.js';
import { Verifier } from './verifier.js';
import { readVerifyBatch, readVerifyRequest, weightOfBatch } from './verify-request.js';

/**
 * For the services of the platform, which ask on every request of theirs. Its handlers are called
 * directly, without guards and pipes, once the caller is known by its token; they read the body themselves.
 */
@Controller('apiKeys/verify')
@ApiForServices('Verification')
export class VerificationController {
  constructor(
    private readonly serviceTokens: ServiceTokens,
    private readonly verifier: Verifier,
  ) {}

  /** Before the body is read. @throws ApiError for whoever is no service */
  identify(request: IncomingMessage): string {
    return this.serviceTokens.identify(request);
  }

  @Post()
  @PlatformOnly()
  @Direct({ identify: 'identify' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'verifyApiKey',
    summary: 'May this key do that, now?',
    description:
      'Always 200 where there is a verdict: `code` says why a key is refused. `VALID` is charged `cost` against the uses ' +
      'and the rate of the key; a refusal costs it nothing. A key with `allowed_cidrs` is refused where no `ip` is given.',
  })
  @ApiVerifyBody()
  @ApiSuccess(VerdictDto, 'The verdict, also where it is a refusal.', VERDICT_EXAMPLE)
  @ApiErrors(...WITH_BODY, 'ambiguous_credentials', 'unauthenticated', 'internal', 'unavailable')
  verify({ raw, body }: DirectRequest): DirectAnswer | Promise<DirectAnswer> {
    refuseQuery(raw.url);
    const { pair, requirements: need } = readVerifyRequest(body);
    const verdict = this.verifier.verify(pair, need);
    return verdict instanceof Promise ? verdict.then(answer) : answer(verdict);
  }

  @Post('batch')
  @PlatformOnly()
  @Direct({ identify: 'identify', weigh: weightOfBatch })
  @HttpCode(200)
  @ApiOperation({ operationId: 'verifyApiKeys', summary: 'The same for up to 100 at once', description: BATCH_NOTE })
  @ApiBody({ type: VerifyBatchRequestDto, examples: BATCH_REQUEST_EXAMPLES })
  @ApiSuccess(VerdictBatchDto, 'The verdicts, in the order of the requests.', BATCH_EXAMPLE)
  @ApiErrors(...WITH_BODY, 'ambiguous_credentials', 'unauthenticated', 'internal', 'unavailable')
  verifyBatch({ raw, body }: DirectRequest): DirectAnswer | Promise<DirectAnswer> {
    refuseQuery(raw.url);
    const verdicts = this.verifier.verifyInOrder(readVerifyBatch(body));
    return verdicts instanceof Promise ? verdicts.then(answerBatch) : answerBatch(verdicts);
  }
}

function answer(verdict: Verdict): DirectAnswer {
  return { body: `{"data":${verdictJson(verdict)},"status":"success"}`, verdict: verdict.code, keyId: verdict.key?.id };
}

function answerBatch(verdicts: BatchVerdict[]): DirectAnswer {
  return { body: `{"data":{"verdicts":[${verdicts.map(batchVerdictJson).join()}]},"status":"success"}` };
}
