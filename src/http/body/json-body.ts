import { isObject } from '@nestjs/common/utils/shared.utils.js';
import { ApiError, ValidationError } from '../errors/api-error.js';
import { type BodyBounds, ORDINARY_BOUNDS } from './body-bounds.js';
import { jsonProblems } from './json-problems.js';
import { countJsonMembers } from './json-shape.js';
import { jsonFault, placeOf } from './json-syntax.js';
import { isReservedName } from './reserved-names.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a JSON body (RFC 8259): an object, or `undefined` for an empty body. Its shape is bounded before any code walks
 * through it (`json-shape.ts`), so that no body costs more than an ordinary one of its length.
 *
 * Duplicate names are rejected, since parsers differ in the one that they use. So are names with a special meaning in
 * JavaScript (`__proto__`, `constructor`, `toString`, ...), at every level: later code could mistake them for something
 * else.
 *
 * @throws ApiError `malformed_json`, or `validation_failed` with the paths of the first 100 problems
 */
export function parseJsonBody(body: Buffer, bounds: BodyBounds = ORDINARY_BOUNDS): object | undefined {
  if (body.length === 0) return undefined;
  const members = countJsonMembers(body, bounds);
  const text = decode(body);
  const mayExceedBounds = members < 0;
  if (mayExceedBounds) rejectProblems(text, bounds);
  const value = parse(text);
  if (!isObject(value) || Array.isArray(value)) {
    throw new ValidationError([{ path: '', message: 'the body must be a JSON object' }]);
  }
  // The parser has dropped members with duplicate names
  if (!mayExceedBounds && countOrdinaryMembers(value) !== members) rejectProblems(text, bounds);
  return value;
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw malformed(`is not UTF-8 at ${placeOf(body.toString(), firstInvalidByte(body))}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(faultOf(text));
  }
}

/** Not the parser's own message, which quotes the body: it may contain a secret. */
function faultOf(text: string): string {
  if (text.startsWith('\ufeff')) return 'begins with a byte order mark, at line 1, column 1 (RFC 8259, 8.1)';
  const { at, expected } = jsonFault(text) ?? { at: 0, expected: 'JSON' };
  return `is wrong at ${placeOf(text, at)}, where ${expected} should be`;
}

/** The place of the first byte that is not UTF-8, as an index into the leniently decoded body. */
function firstInvalidByte(body: Buffer): number {
  const reencoded = Buffer.from(body.toString());
  let at = 0;
  while (at < body.length && body[at] === reencoded[at]) at++;
  return body.toString('utf8', 0, at).length;
}

function malformed(what: string): ApiError {
  return new ApiError('malformed_json', `The body must be valid JSON in UTF-8, and ${what}.`);
}

function rejectProblems(text: string, bounds: BodyBounds): void {
  const problems = jsonProblems(text, bounds);
  if (problems.length > 0) throw new ValidationError(problems);
}

/** Counts the members of all objects in a value of bounded depth, without those with reserved names. */
function countOrdinaryMembers(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) if (isObject(element)) count += countOrdinaryMembers(element);
    return count;
  }
  for (const name in value) {
    if (!isReservedName(name)) count++;
    const child = (value as Record<string, unknown>)[name];
    if (isObject(child)) count += countOrdinaryMembers(child);
  }
  return count;
}
