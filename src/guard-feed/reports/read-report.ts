import { isIP } from 'node:net';
import { Injectable, type PipeTransform } from '@nestjs/common';
import { type ErrorDetail, MissingBodyError, ValidationError } from '../../http/errors/api-error.js';
import { unknownMember } from '../../suggestions/suggestions.js';
import { type GuardReport, REPORTED_CODES, type ReportedCount, SECRET_KINDS } from './guard-report.js';

export const MAX_COUNTS = 1_000;
export const MAX_TIMES = 10_000_000;
/** 16 random bytes as base64url. */
export const GUARD_NAME = /^[\w-]{22}$/;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Counts for one slot of the limit on concurrent verifications. */
const COUNTS_PER_SLOT = 10;

type Body = Record<string, unknown>;

/** What a member must be. */
interface Member {
  isValid: (value: unknown, body: Body) => boolean;
  message: string;
}

const isWhole = (min: number, max: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
const isText = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);
const isOneOf = (texts: readonly string[]) => ({
  isValid: (value: unknown) => typeof value === 'string' && texts.includes(value),
  message: `must be one of ${texts.join(', ')}`,
});

const REPORT: Record<string, Member> = {
  guard: { isValid: isText(GUARD_NAME), message: 'must be 22 characters of base64url' },
  seq: { isValid: isWhole(1, Number.MAX_SAFE_INTEGER), message: 'must be a whole number from 1' },
  counts: {
    isValid: (value) => Array.isArray(value) && value.length <= MAX_COUNTS,
    message: `must be a list of at most ${MAX_COUNTS} counts`,
  },
};

const COUNT: Record<string, Member> = {
  key_id: { isValid: isText(ID), message: 'must be the id of a key, a UUID; not its api_key' },
  which: isOneOf(SECRET_KINDS),
  code: isOneOf(REPORTED_CODES),
  n: { isValid: isWhole(1, MAX_TIMES), message: `must be a whole number from 1 to ${MAX_TIMES}` },
  last_ms_ago: { isValid: isWhole(0, Number.MAX_SAFE_INTEGER), message: 'must be a whole number from 0' },
  ip: {
    isValid: (ip, { which }) => ip === undefined || (typeof ip === 'string' && isIP(ip) > 0 && which === 'previous'),
    message: 'must be an IPv4 or IPv6 address, and only of a use of the previous secret',
  },
};

/**
 * Reads the body of `POST /api/apiKeys/reports`. Plain code, since each guard sends up to 1,000 counts every second; the
 * DTO of the same shape describes it in the OpenAPI document.
 *
 * @throws ValidationError naming every problem by its path
 */
export function readReport(body: unknown): GuardReport {
  const details: ErrorDetail[] = [];
  const report = (body ?? {}) as Body;
  check(report, REPORT, '', details);
  const listed = report['counts'];
  const counts = Array.isArray(listed) ? listed.map((one, index) => readCount(one, `counts.${index}`, details)) : [];
  if (details.length > 0) throw body === undefined ? new MissingBodyError(details) : new ValidationError(details);
  return { guard: report['guard'] as string, seq: report['seq'] as number, counts };
}

@Injectable()
export class ReportPipe implements PipeTransform<unknown, GuardReport> {
  transform(body: unknown): GuardReport {
    return readReport(body);
  }
}

/** The number of verifications that a report counts as, before it is validated. */
export function weightOfReport(body: unknown): number {
  const counts = (body as Body | null | undefined)?.['counts'];
  if (!Array.isArray(counts)) return 1;
  return Math.ceil(Math.min(Math.max(counts.length, 1), MAX_COUNTS) / COUNTS_PER_SLOT);
}

/** An invalid count is reported, and its value is meaningless. */
function readCount(value: unknown, path: string, details: ErrorDetail[]): ReportedCount {
  const isBody = typeof value === 'object' && value !== null && !Array.isArray(value);
  const count = (isBody ? value : {}) as Body;
  if (isBody) check(count, COUNT, `${path}.`, details);
  else details.push({ path, message: 'must be an object with key_id, which, code, n and last_ms_ago' });
  return {
    keyId: String(count['key_id']).toLowerCase(),
    secretKind: count['which'] as ReportedCount['secretKind'],
    code: count['code'] as ReportedCount['code'],
    times: count['n'] as number,
    lastMsAgo: count['last_ms_ago'] as number,
  };
}

function check(body: Body, members: Record<string, Member>, parent: string, details: ErrorDetail[]): void {
  for (const name in body) {
    if (!Object.hasOwn(members, name))
      details.push(unknownMember(name, Object.keys(members), { parent, rank: details.length }));
  }
  for (const [name, { isValid, message }] of Object.entries(members)) {
    if (!isValid(body[name], body)) details.push({ path: parent + name, message });
  }
}
