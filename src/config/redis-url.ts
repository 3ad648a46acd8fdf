import type { RedisOptions } from 'ioredis';
import { readConnectionUrl } from './connection-url.js';
import { InvalidValueError } from './invalid-value.js';

const URL_KIND = { schemes: ['redis', 'rediss'], example: 'redis://user:password@host:6379/0, or rediss:// with TLS' };
const DEFAULT_PORT = 6_379;

/** What ioredis is to know of the server in a URL. */
export interface RedisServerOptions extends RedisOptions {
  host: string;
  port: number;
  db: number;
}

/**
 * What ioredis is to know of the server in a URL. Its own reading would take every parameter for one of its options, and a
 * path that is no number for a database.
 *
 * @throws InvalidValueError
 */
export function redisOptions(url: string): RedisServerOptions {
  const { user, password, host, path, parameters } = readConnectionUrl(url, URL_KIND);
  if (!host) throw new InvalidValueError(`must have a host, as in ${URL_KIND.example}`);
  if (!/^\d{0,5}$/.test(path))
    throw new InvalidValueError('must have the number of a database behind the host, or nothing');
  if (parameters.size > 0)
    throw new InvalidValueError('must have no parameters: what is behind the ? is not taken; the database is the path');
  if (user && !password)
    throw new InvalidValueError('has a user and no password; a password alone is redis://:password@host');
  return {
    host: host.name,
    port: host.port ?? DEFAULT_PORT,
    db: Number(path),
    ...(user && { username: user }),
    ...(password && { password }),
    ...(/^rediss:/i.test(url) && { tls: {} }),
    // Whichever the name leads to: ioredis would ask for IPv4 alone
    family: 0,
  };
}
