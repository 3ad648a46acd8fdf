import { ApiError, ValidationError } from './api-error.js';
import { isReservedName } from './reserved-names.js';

/** The most bytes of a request's body. */
export const BODY_LIMIT = 65_536;

/** Our deepest body has three levels; what is deeper is refused before anything walks through it. */
const DEEPEST = 8;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a JSON body (RFC 8259): an object, or `undefined` where there is none.
 *
 * Names with a meaning of their own in JavaScript (`__proto__`, `constructor`, `toString`, ...) are refused
 * at every level: code further down could take them for what they are not.
 *
 * @throws ApiError `malformed_json`, or `validation_failed` with the path of the offence
 */
export function parseJsonBody(body: Buffer): object | undefined {
  if (body.length === 0) return undefined;
  const value = parse(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError([{ path: '', message: 'the body must be a JSON object' }]);
  }
  refuseStrangeStructure(value);
  return value;
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    // The parser's own message quotes the body, which may hold a secret
    throw new ApiError('malformed_json', 'The body is not valid JSON in UTF-8.');
  }
}

/** Goes level by level, so that depth costs no stack. */
function refuseStrangeStructure(root: object): void {
  const reserved: string[] = [];
  let level: [path: string, value: object][] = [['', root]];
  for (let depth = 1; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const [path, value] of level) {
      if (depth > DEEPEST) {
        throw new ValidationError([{ path, message: `must not be nested deeper than ${DEEPEST} levels` }]);
      }
      for (const name of Object.keys(value)) {
        const child = (value as Record<string, unknown>)[name];
        const isParent = typeof child === 'object' && child !== null;
        if (!isParent && !isReservedName(name)) continue;
        const childPath = path ? `${path}.${name}` : name;
        if (isReservedName(name)) reserved.push(childPath);
        if (isParent) next.push([childPath, child]);
      }
    }
    level = next;
  }
  if (reserved.length > 0) throw new ValidationError(reserved.map((path) => ({ path, message: 'is a reserved name' })));
}
