import type { GuardOptions } from '../types.js';

/** Where the service is: a host, or a Unix socket. */
export interface ServiceAddress {
  readonly isSecure: boolean;
  readonly hostname?: string;
  readonly port?: string;
  readonly socketPath?: string;
  /** In front of every path, without a slash at its end. */
  readonly prefix: string;
}

/** The options, validated, with their defaults. */
export interface Settings {
  readonly address: ServiceAddress;
  readonly token: string;
  readonly staleMs: number;
  readonly cacheKeys: number;
}

const MAX_STALE_SECONDS = 600;
const DEFAULT_CACHE_KEYS = 100_000;
const MAX_CACHE_KEYS = 10_000_000;
/** What a header can carry (RFC 6750, 2.1), and what `name:token` in `SERVICE_TOKENS` can. */
const TOKEN = /^[\x21-\x7e]+$/;

/** @throws TypeError naming the option that is not valid */
export function readOptions(options: GuardOptions): Settings {
  const { token, staleIfErrorSeconds = 0, cacheKeys = DEFAULT_CACHE_KEYS } = options;
  if (typeof token !== 'string' || !TOKEN.test(token))
    throw new TypeError('token must be a service token: printable ASCII without blanks');
  if (!(staleIfErrorSeconds >= 0 && staleIfErrorSeconds <= MAX_STALE_SECONDS))
    throw new TypeError(`staleIfErrorSeconds must be a number from 0 to ${MAX_STALE_SECONDS}`);
  if (!(Number.isInteger(cacheKeys) && cacheKeys >= 1 && cacheKeys <= MAX_CACHE_KEYS))
    throw new TypeError(`cacheKeys must be a whole number from 1 to ${MAX_CACHE_KEYS}`);
  return { address: readAddress(options.url), token, staleMs: staleIfErrorSeconds * 1_000, cacheKeys };
}

function readAddress(url: string): ServiceAddress {
  const problem = 'url must be the address of the service: http(s)://<host>[:<port>], or unix:/<path of a socket>';
  if (typeof url === 'string' && url.startsWith('unix:/')) {
    return { isSecure: false, socketPath: url.slice('unix:'.length), prefix: '' };
  }
  if (typeof url !== 'string' || !URL.canParse(url)) throw new TypeError(problem);
  const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw new TypeError(problem);
  if (username || password || search || hash)
    throw new TypeError('url must not contain a user, a password, a query or a fragment');
  if (/\/api\/*$/.test(pathname)) throw new TypeError('url must not end in /api, which the guard adds');
  return {
    isSecure: protocol === 'https:',
    // An IPv6 address stands in brackets only in a URL
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    prefix: pathname.replace(/\/+$/, ''),
  };
}
