import { InvalidValueError } from './invalid-value.js';

const EXPECTED = 'must be an origin, a scheme with a host and perhaps a port, such as https://app.example.com';
const WILDCARD_REJECTED = '* is not taken: scripts of every site could call with whatever credentials they come by; name the origins';
const NULL_REJECTED = 'null is not taken: every sandboxed frame and local file has that origin; name the origins';

/**
 * An origin (RFC 6454) as browsers write it: in lower case, without the scheme's own port.
 *
 * @throws InvalidValueError
 */
export function readOrigin(entry: string): string {
  const origin = originOf(entry);
  if (origin === undefined) throw new InvalidValueError(entry === '*' ? WILDCARD_REJECTED : entry === 'null' ? NULL_REJECTED : EXPECTED);
  return origin;
}

function originOf(entry: string): string | undefined {
  // Neither a path, of which browsers send none, nor a user
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#@\\*\s]+$/i.test(entry) || !URL.canParse(entry)) return undefined;
  const { origin, protocol, host } = new URL(entry);
  // Of other schemes, such as an app's own, URL tells no origin
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin;
}
