import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { REPORTED_CODES, type ReportedCode, SECRET_KINDS } from './guard-report.js';
import { GUARD_NAME, MAX_COUNTS, MAX_TIMES } from './read-report.js';

/** Describes one of the counts that `readReport()` reads. */
@ApiSchema({ name: 'ReportedCount' })
class ReportedCountDto {
  @ApiProperty({ format: 'uuid', description: 'The `key_id` of the verdict; counts of unknown keys are ignored' })
  key_id: string;

  @ApiProperty({ enum: SECRET_KINDS, description: 'The secret that was presented' })
  which: (typeof SECRET_KINDS)[number];

  @ApiProperty({ enum: REPORTED_CODES })
  code: ReportedCode;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_TIMES, description: 'How often' })
  n: number;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    description: 'The milliseconds since the last of them: decides the day, at most 24 hours back',
  })
  last_ms_ago: number;

  @ApiProperty({
    required: false,
    example: '203.0.113.7',
    description: 'The last address of the client, IPv4 or IPv6; only with `previous`. Checked, but not stored yet',
  })
  ip?: string;
}

/** Describes the body that `readReport()` reads. */
@ApiSchema({ name: 'GuardReport' })
export class GuardReportDto {
  @ApiProperty({
    pattern: GUARD_NAME.source,
    description: 'The name of the guard: 16 random bytes of its process, as base64url',
  })
  guard: string;

  @ApiProperty({ type: 'integer', minimum: 1, description: "The number of this report, among the guard's" })
  seq: number;

  @ApiProperty({ type: [ReportedCountDto], maxItems: MAX_COUNTS })
  counts: ReportedCountDto[];
}

@ApiSchema({ name: 'AcceptedReport' })
export class AcceptedReportDto {
  @ApiProperty({ type: 'integer', description: 'The number of counts whose keys exist' })
  accepted: number;
}

export const REPORT_EXAMPLES = {
  several: {
    summary: 'A key was used 120 times, and refused twice',
    value: {
      guard: 'q3Xb0yJf7mK2sVtN9hLwZA',
      seq: 1,
      counts: [
        {
          key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
          which: 'current',
          code: 'VALID',
          n: 120,
          last_ms_ago: 4,
        },
        {
          key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
          which: 'previous',
          code: 'INSUFFICIENT_SCOPE',
          n: 2,
          last_ms_ago: 730,
          ip: '203.0.113.7',
        },
      ],
    },
  },
} satisfies Record<string, { summary: string; value: GuardReportDto }>;
