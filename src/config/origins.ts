import { InvalidValueError } from './invalid-value.js';

const EXPECTED = 'must be an origin (a scheme, a host and optionally a port), such as https://app.example.com';
const WILDCARD_REJECTED =
  '* is not allowed: scripts of any site could call with credentials that they obtain; list the origins';
const NULL_REJECTED = 'null is not allowed: every sandboxed frame and local file has that origin; list the origins';

/**
 * Parses an origin (RFC 6454) and returns it as browsers send it: in lower case, without the scheme's default port.
 *
 * @throws InvalidValueError
 */
export function readOrigin(entry: string): string {
  const origin = originOf(entry);
  if (origin === undefined)
    throw new InvalidValueError(entry === '*' ? WILDCARD_REJECTED : entry === 'null' ? NULL_REJECTED : EXPECTED);
  return origin;
}

function originOf(entry: string): string | undefined {
  // Without a path or a user, which browsers never send
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#@\\*\s]+$/i.test(entry) || !URL.canParse(entry)) return undefined;
  const { origin, protocol, host } = new URL(entry);
  // URL has no origin for custom schemes, such as an app's
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin;
}
