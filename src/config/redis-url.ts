import type { RedisOptions } from 'ioredis';
import { readConnectionUrl } from './connection-url.js';
import { InvalidValueError } from './invalid-value.js';

const URL_KIND = { schemes: ['redis', 'rediss'], example: 'redis://user:password@host:6379/0, or rediss:// with TLS' };
const DEFAULT_PORT = 6_379;

/** The options of ioredis that a URL determines. */
export interface RedisServerOptions extends RedisOptions {
  host: string;
  port: number;
  db: number;
}

/**
 * Converts a URL to options of ioredis. ioredis itself would read any parameter as one of its options, and accept a
 * database that is not a number.
 *
 * @throws InvalidValueError
 */
export function redisOptions(url: string): RedisServerOptions {
  const { user, password, host, path, parameters } = readConnectionUrl(url, URL_KIND);
  if (!host) throw new InvalidValueError(`must have a host, as in ${URL_KIND.example}`);
  if (!/^\d{0,5}$/.test(path)) throw new InvalidValueError('must have a database number after the host, or nothing');
  if (parameters.size > 0)
    throw new InvalidValueError('must have no parameters after a ?; the database number is the path');
  if (user && !password)
    throw new InvalidValueError('has a user but no password; write a password alone as redis://:password@host');
  return {
    host: host.name,
    port: host.port ?? DEFAULT_PORT,
    db: Number(path),
    ...(user && { username: user }),
    ...(password && { password }),
    ...(/^rediss:/i.test(url) && { tls: {} }),
    // IPv4 or IPv6: ioredis would resolve IPv4 alone
    family: 0,
  };
}
