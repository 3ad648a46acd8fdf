import { isIPv4 } from 'node:net';
import { InvalidValueError } from '../config/invalid-value.js';

/** Where the service is. */
export interface ServiceAddress {
  /** As given. */
  url: string;
  isSecure: boolean;
  /** Host and port, as in the header `Host`. */
  authority: string;
  /** What Node's `request()` connects to. */
  target: { host: string; port: string } | { socketPath: string };
  /** In front of every path, without a slash at its end. */
  prefix: string;
}

/** Where the sidecar listens. */
export type ListenAddress = { host: string; port: number } | { path: string };

const SERVICE = 'must be the address of the service: http(s)://<host>[:<port>], or unix:/<path of a socket>';
const LISTEN =
  'must be a loopback address with a port, such as 127.0.0.1:8010 or [::1]:8010, or unix:/<path of a socket>: other ' +
  'machines must not reach it';
const MAX_PORT = 65_535;
/** In bytes; the system cuts longer ones (`sun_path`). */
const MAX_SOCKET_PATH = 107;

/** @throws InvalidValueError */
export function readServiceAddress(url: string): ServiceAddress {
  if (url.startsWith('unix:')) {
    return {
      url,
      isSecure: false,
      authority: 'localhost',
      target: { socketPath: socketPathIn(url, SERVICE) },
      prefix: '',
    };
  }
  if (!URL.canParse(url)) throw new InvalidValueError(SERVICE);
  const { protocol, hostname, host, port, pathname, username, password, search, hash } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new InvalidValueError(SERVICE);
  if (username || password || search || hash)
    throw new InvalidValueError('must not contain a user, a password, a query or a fragment');
  if (/\/api\/*$/.test(pathname)) throw new InvalidValueError('must not end in /api, which is added');
  // An IPv6 address stands in brackets only in a URL
  const target = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port };
  return { url, isSecure: protocol === 'https:', authority: host, target, prefix: pathname.replace(/\/+$/, '') };
}

/** @throws InvalidValueError */
export function readListenAddress(text: string): ListenAddress {
  if (text.startsWith('unix:')) return { path: socketPathIn(text, LISTEN) };
  const [, ipv4 = '', ipv6, digits = ''] = /^(?:(127\.[\d.]+)|\[(::1)\]):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > MAX_PORT || !(ipv6 !== undefined || isIPv4(ipv4))) throw new InvalidValueError(LISTEN);
  return { host: ipv6 ?? ipv4, port };
}

function socketPathIn(text: string, expected: string): string {
  const path = text.slice('unix:'.length);
  if (!path.startsWith('/') || path.endsWith('/')) throw new InvalidValueError(expected);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new InvalidValueError(`must name a socket by at most ${MAX_SOCKET_PATH} bytes`);
  return path;
}
