import { ApiError } from '../../http/errors/api-error.js';
import { readReport, weightOfReport } from './read-report.js';

const count = { key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f', which: 'current', code: 'VALID', n: 1, last_ms_ago: 0 };
const report = { guard: 'q3Xb0yJf7mK2sVtN9hLwZA', seq: 1, counts: [count] };

function problemsOf(body: unknown): string[] {
  try {
    readReport(body);
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details ?? []).map(({ path, message }) => `${path}: ${message}`);
  }
}

it('reads a report', () => {
  const previous = { ...count, which: 'previous', code: 'IP_NOT_ALLOWED', n: 10_000_000, ip: '2001:db8::1' };
  expect(readReport({ ...report, counts: [{ ...count, key_id: count.key_id.toUpperCase() }, previous] })).toEqual({
    guard: report.guard,
    seq: 1,
    counts: [
      { keyId: count.key_id, secretKind: 'current', code: 'VALID', times: 1, lastMsAgo: 0 },
      { keyId: count.key_id, secretKind: 'previous', code: 'IP_NOT_ALLOWED', times: 10_000_000, lastMsAgo: 0 },
    ],
  });
});

it('reads a report without counts', () => {
  expect(readReport({ ...report, counts: [] }).counts).toEqual([]);
});

const NOT_A_KEY = 'must be the id of a key, a UUID; not its api_key';
const NOT_A_GUARD = 'must be 22 characters of base64url';
const NOT_A_NUMBER = 'must be a whole number from 1';
const NOT_TIMES = 'must be a whole number from 1 to 10000000';
const NOT_AN_AGE = 'must be a whole number from 0';
const NOT_A_CODE = 'must be one of VALID, INSUFFICIENT_SCOPE, IP_NOT_ALLOWED, EXPIRED';
const NOT_AN_ADDRESS = 'must be an IPv4 or IPv6 address, and only of a use of the previous secret';

it.each<[string, object, string]>([
  ['key_id', { key_id: `w3k_${'a'.repeat(20)}` }, NOT_A_KEY],
  ['key_id', { key_id: undefined }, NOT_A_KEY],
  ['which', { which: 'both' }, 'must be one of current, previous'],
  ['code', { code: 'INVALID_CREDENTIALS' }, NOT_A_CODE],
  ['code', { code: ['VALID'] }, NOT_A_CODE],
  ['n', { n: 0 }, NOT_TIMES],
  ['n', { n: 10_000_001 }, NOT_TIMES],
  ['n', { n: 1.5 }, NOT_TIMES],
  ['n', { n: '1' }, NOT_TIMES],
  ['last_ms_ago', { last_ms_ago: -1 }, NOT_AN_AGE],
  ['last_ms_ago', { last_ms_ago: null }, NOT_AN_AGE],
  ['ip', { which: 'previous', ip: 'localhost' }, NOT_AN_ADDRESS],
  ['ip', { which: 'previous', ip: null }, NOT_AN_ADDRESS],
  ['ip', { ip: '203.0.113.7' }, NOT_AN_ADDRESS],
  ['m', { m: 1 }, 'is not a known property'],
  ['keyId', { keyId: 'x' }, 'is not a known property; counts.1.key_id was probably meant'],
])('refuses a wrong %s of a count: %j', (name, wrong, message) => {
  expect(problemsOf({ ...report, counts: [count, { ...count, ...wrong }] })).toEqual([`counts.1.${name}: ${message}`]);
});

it.each<[object, string]>([
  [{ guard: 'x'.repeat(21) }, `guard: ${NOT_A_GUARD}`],
  [{ guard: '+'.repeat(22) }, `guard: ${NOT_A_GUARD}`],
  [{ seq: 0 }, `seq: ${NOT_A_NUMBER}`],
  [{ seq: 2 ** 53 }, `seq: ${NOT_A_NUMBER}`],
  [{ counts: {} }, 'counts: must be a list of at most 1000 counts'],
  [{ counts: Array.from({ length: 1_001 }, () => count) }, 'counts: must be a list of at most 1000 counts'],
  [{ counts: [[]] }, 'counts.0: must be an object with key_id, which, code, n and last_ms_ago'],
  [{ sequence: 1 }, 'sequence: is not a known property'],
])('refuses a wrong report: %#', (wrong, problem) => {
  expect(problemsOf({ ...report, ...wrong })).toEqual([problem]);
});

it('names every problem, also without a body', () => {
  expect(problemsOf(undefined)).toEqual([
    `guard: ${NOT_A_GUARD}`,
    `seq: ${NOT_A_NUMBER}`,
    'counts: must be a list of at most 1000 counts',
  ]);
});

it.each<[unknown, number]>([
  [undefined, 1],
  [{ counts: 'many' }, 1],
  [{ counts: [] }, 1],
  [{ counts: Array(10) }, 1],
  [{ counts: Array(11) }, 2],
  [{ counts: Array(1_000) }, 100],
  [{ counts: Array(9_999) }, 100],
])('weighs a tenth of its counts: %#', (body, weight) => {
  expect(weightOfReport(body)).toBe(weight);
});
