import { QueryFailedError } from 'typeorm';

/** SQLSTATE lock_not_available: others hold a lock for longer than `lock_timeout`, or than a `NOWAIT` waits. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** What the driver, the server or the network has thrown, without what TypeORM wraps it in. */
export function driverErrorOf(error: unknown): unknown {
  return error instanceof QueryFailedError ? error.driverError : error;
}

/** The five characters by which PostgreSQL names an error; `undefined` for what is none of its own. */
export function sqlStateOf(error: unknown): unknown {
  return (driverErrorOf(error) as { code?: unknown } | null | undefined)?.code;
}
