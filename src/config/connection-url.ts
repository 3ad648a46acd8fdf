import { InvalidValueError } from './invalid-value.js';

interface Host {
  /** Decoded, without the brackets of IPv6; a path if it is the folder of a unix socket. */
  name: string;
  port: number | undefined;
}

/** The parts of a server's URL, decoded (RFC 3986). */
export interface ConnectionUrl {
  user: string | undefined;
  password: string | undefined;
  host: Host | undefined;
  /** Without the leading slash; empty if absent. */
  path: string;
  parameters: ReadonlyMap<string, string>;
}

const URL_PARTS = /^([a-z]+):\/\/(?:([^@/?]*)@)?([^@/?]*)(?:\/([^@/?]*))?(?:\?([^@]*))?$/i;
const CREDENTIALS = /^([^:]*)(?::(.*))?$/;
const HOST = /^(?:\[([\da-f:.]+)\]|([^:[\]]*))(?::(.*))?$/i;
const MAX_PORT = 65_535;
const HOST_EXPECTED = `must have a host and optionally a port from 1 to ${MAX_PORT}: host:6000, or [::1]:6000 for IPv6`;

/** The kind of URL that a variable accepts. */
interface UrlKind {
  schemes: readonly string[];
  example: string;
}

/**
 * Parses a connection URL, and rejects unencoded special characters: `new URL()` would silently take part of such a
 * password for another component.
 *
 * @throws InvalidValueError
 */
export function readConnectionUrl(text: string, { schemes, example }: UrlKind): ConnectionUrl {
  assertEncoded(text);
  const [, scheme = '', userinfo = '', authority = '', path = '', query = ''] = URL_PARTS.exec(text) ?? [];
  if (!schemes.includes(scheme.toLowerCase())) throw new InvalidValueError(`must be a URL such as ${example}`);
  const [, user = '', password = ''] = CREDENTIALS.exec(userinfo) ?? [];
  return {
    user: decode(user) || undefined,
    password: decode(password) || undefined,
    host: authority === '' ? undefined : readHost(authority),
    path: decode(path),
    parameters: readParameters(query),
  };
}

/** Each of these characters would shift the end of the password. */
function assertEncoded(text: string): void {
  if (/%(?![\da-f]{2})/i.test(text)) throw unencodedError('%');
  if (/\s/.test(text)) throw unencodedError('space');
  if (text.includes('#')) throw unencodedError('#');
  const [before = '', ...after] = text.split('@');
  if (after.length > 1) throw unencodedError('@');
  if (after.length === 1 && /^[a-z]+:\/\/.*[/?]/i.test(before)) throw unencodedError('/, ? or @');
}

function unencodedError(what: string): InvalidValueError {
  return new InvalidValueError(
    `has an unencoded ${what}, perhaps in its password: write % as %25, @ as %40, # as %23, / as %2F, ? as %3F, ` +
      'a space as %20',
  );
}

/** Errors do not quote the text: it may be part of a password. */
function readHost(authority: string): Host {
  assertSingleHost(authority);
  const [, ipv6, name = '', port] = HOST.exec(authority) ?? [];
  if (ipv6 === undefined && !name) throw new InvalidValueError(HOST_EXPECTED);
  return { name: ipv6 ?? decode(name), port: port === undefined ? undefined : readPort(port) };
}

/** @throws InvalidValueError */
export function assertSingleHost(hosts: string): void {
  if (hosts.includes(',')) throw new InvalidValueError('must name one server; several are not supported');
}

/** @throws InvalidValueError */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MAX_PORT) throw new InvalidValueError(HOST_EXPECTED);
  return port;
}

function readParameters(query: string): Map<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [decode(name), decode(value.join('='))];
    }),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unencodedError('%');
  }
}
