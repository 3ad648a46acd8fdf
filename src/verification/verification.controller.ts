import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { success } from '../http/envelope.js';
import { CurrentContext } from '../http/request-context.decorator.js';
import type { RequestContext } from '../http/request-context.js';
import { Route } from '../http/route-config.js';
import { ApiErrors, ApiSuccess, FOR_SERVICES, WITH_BODY } from '../openapi/answers.decorator.js';
import type { Tag } from '../openapi/tags.js';
import { ForServices } from '../principals/decorators/for-services.decorator.js';
import { toBatchVerdictDto, toVerdictDto, VerdictBatchDto, VerdictDto } from './dto/verdict.dto.js';
import { BATCH_EXAMPLE, BATCH_REQUEST_EXAMPLES, VERDICT_EXAMPLE } from './dto/verify-examples.js';
import { ApiVerifyBody, BATCH_NOTE, VerifyBatchRequestDto } from './dto/verify-request.dto.js';
import { Grants } from './grants.js';
import { type VerifyRequest, Verifier } from './verifier.js';
import { VerifyBatchPipe, VerifyRequestPipe } from './verify-request.pipes.js';
import { weightOfBatch } from './verify-request.js';

const VERIFY_NOTE =
  'Always 200 with a verdict, whose `code` says why a key is refused. `VALID` charges `cost` against the uses and the ' +
  'rate of the key; a refusal charges nothing. A key with `allowed_cidrs` is refused without an `ip`. With `grant`, the ' +
  'answer says whether a guard (docs/guard.md) may decide on the key itself from now on.';

/** For the services of the platform, which verify on each of their requests. */
@ForServices()
@Controller('apiKeys/verify')
@ApiTags('Verification' satisfies Tag)
export class VerificationController {
  constructor(
    private readonly verifier: Verifier,
    private readonly grants: Grants,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'verifyApiKey', summary: 'Verify a key', description: VERIFY_NOTE })
  @ApiVerifyBody()
  @ApiSuccess(VerdictDto, 'The verdict, refusals included.', VERDICT_EXAMPLE)
  @ApiErrors(...WITH_BODY, ...FOR_SERVICES)
  async verify(
    @Body(VerifyRequestPipe) { pair, requirements, wantsGrant }: VerifyRequest,
    @CurrentContext() context: RequestContext,
  ) {
    const { position } = this.grants;
    const verdict = await this.verifier.verify(pair, requirements);
    Object.assign(context, { verdict: verdict.code, keyId: verdict.key?.id });
    return success(toVerdictDto(verdict, wantsGrant ? this.grants.with(verdict, position) : undefined));
  }

  @Post('batch')
  @HttpCode(200)
  @Route({ weigh: weightOfBatch })
  @ApiOperation({ operationId: 'verifyApiKeys', summary: 'Verify up to 100 keys', description: BATCH_NOTE })
  @ApiBody({ type: VerifyBatchRequestDto, examples: BATCH_REQUEST_EXAMPLES })
  @ApiSuccess(VerdictBatchDto, 'The verdicts, in the order of the requests.', BATCH_EXAMPLE)
  @ApiErrors(...WITH_BODY, ...FOR_SERVICES)
  async verifyBatch(@Body(VerifyBatchPipe) requests: VerifyRequest[]) {
    const { position } = this.grants;
    const verdicts = await this.verifier.verifyInOrder(requests);
    return success({
      verdicts: verdicts.map((verdict, index) =>
        toBatchVerdictDto(verdict, this.grants.forBatch(verdict, requests[index], position)),
      ),
    });
  }
}
