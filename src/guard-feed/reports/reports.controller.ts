import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { BodyBounds } from '../../http/body/body-bounds.js';
import { success } from '../../http/envelope.js';
import { CurrentContext } from '../../http/request-context.decorator.js';
import type { RequestContext } from '../../http/request-context.js';
import { Route } from '../../http/route-config.js';
import { ApiErrors, FOR_SERVICES, WITH_BODY } from '../../openapi/answers.decorator.js';
import { successOf } from '../../openapi/success.dto.js';
import type { Tag } from '../../openapi/tags.js';
import { ForServices } from '../../principals/decorators/for-services.decorator.js';
import type { GuardReport } from './guard-report.js';
import { GuardReports } from './guard-reports.js';
import { ReportPipe, weightOfReport } from './read-report.js';
import { AcceptedReportDto, GuardReportDto, REPORT_EXAMPLES } from './report.dto.js';

/** 1,000 counts with every member, six each. */
const BOUNDS: BodyBounds = { bytes: 262_144, members: 8_000 };

const REPORT_NOTE =
  'For guards, which decide in the processes of other services: at most 1,000 counts, in a body of at most 256 KiB. ' +
  'The counts are added to the usage of the keys within a second. The same `seq` of a `guard` is counted once by each ' +
  'process of this service for as long as it remembers it: send a report again, unchanged, only if no answer arrived or ' +
  'after a 401 or 503, and number the next one higher.';

/** Takes the counts of what guards decided. */
@ForServices()
@Controller('apiKeys/reports')
@ApiTags('Verification' satisfies Tag)
export class ReportsController {
  constructor(private readonly reports: GuardReports) {}

  @Post()
  @HttpCode(202)
  @Route({ weigh: weightOfReport, bodyBounds: BOUNDS })
  @ApiOperation({ operationId: 'reportVerdicts', summary: 'Report the verdicts of a guard', description: REPORT_NOTE })
  @ApiBody({ type: GuardReportDto, examples: REPORT_EXAMPLES })
  @ApiResponse({
    status: 202,
    description: 'Counted, now or before.',
    type: successOf(AcceptedReportDto),
    example: success({ accepted: 2 }),
  })
  @ApiErrors(...WITH_BODY, ...FOR_SERVICES)
  async report(@Body(ReportPipe) report: GuardReport, @CurrentContext() { caller = '' }: RequestContext) {
    return success({ accepted: await this.reports.add(caller, report) });
  }
}
