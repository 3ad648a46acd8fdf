import { ApiError, ValidationError } from './api-error.js';
import { jsonOffences } from './json-offences.js';
import { countJsonMembers } from './json-shape.js';
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
    throw malformed();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed();
  }
}

/** The parser's own message quotes the body, which may hold a secret. */
function malformed(): ApiError {
  return new ApiError('malformed_json', 'The body is not valid JSON in UTF-8.');
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

function isParent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
