import { ApiError, ValidationError } from '../errors/api-error.js';
import { isParent } from './is-parent.js';
import { jsonOffences } from './json-problems.js';
import { countJsonMembers } from './json-shape.js';
import { jsonFault, placeOf } from './json-syntax.js';
import { isReservedName } from './reserved-names.js';

/** The most bytes of a request's body. */
export const BODY_LIMIT = 65_536;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a JSON body (RFC 8259): an object, or `undefined` where there is none. Its shape is bounded before anything
 * walks through it (`json-shape.ts`), so that no body costs more for its length than an ordinary one.
 *
 * A name that is there twice is refused, since parsers differ in which of the two counts; and names with a meaning of
 * their own in JavaScript (`__proto__`, `constructor`, `toString`, ...) at every level: code further down could take
 * them for what they are not.
 *
 * @throws ApiError `malformed_json`, or `validation_failed` with the paths of the first 100 offences
 */
export function parseJsonBody(body: Buffer): object | undefined {
  if (body.length === 0) return undefined;
  const members = countJsonMembers(body);
  const text = decode(body);
  const isDoubtful = members < 0;
  if (isDoubtful) refuseOffences(text);
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError([{ path: '', message: 'the body must be a JSON object' }]);
  }
  // Fewer are left where a name was there twice
  if (!isDoubtful && countOrdinaryMembers(value) !== members) refuseOffences(text);
  return value;
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw malformed(`is not UTF-8 at ${placeOf(body.toString(), firstInvalid(body))}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(faultOf(text));
  }
}

/** In words of our own: the parser's message quotes the body, which may hold a secret. */
function faultOf(text: string): string {
  if (text.startsWith('\ufeff')) return 'begins with a byte order mark, at line 1, column 1 (RFC 8259, 8.1)';
  const { at, expected } = jsonFault(text) ?? { at: 0, expected: 'JSON' };
  return `is wrong at ${placeOf(text, at)}, where ${expected} should be`;
}

/** Where the first byte is that is no UTF-8, as an index into the text that is made of the body all the same. */
function firstInvalid(body: Buffer): number {
  const again = Buffer.from(body.toString());
  let at = 0;
  while (at < body.length && body[at] === again[at]) at++;
  return body.toString('utf8', 0, at).length;
}

function malformed(what: string): ApiError {
  return new ApiError('malformed_json', `The body must be valid JSON in UTF-8, and ${what}.`);
}

function refuseOffences(text: string): void {
  const offences = jsonOffences(text);
  if (offences.length > 0) throw new ValidationError(offences);
}

/** Of all objects in it, which are not deep; members with reserved names are not counted. */
function countOrdinaryMembers(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) if (isParent(element)) count += countOrdinaryMembers(element);
    return count;
  }
  for (const name in value) {
    if (!isReservedName(name)) count++;
    const child = (value as Record<string, unknown>)[name];
    if (isParent(child)) count += countOrdinaryMembers(child);
  }
  return count;
}
