import { QueryFailedError } from 'typeorm';

/** SQLSTATE lock_not_available: a lock was not available within `lock_timeout`, or at once with `NOWAIT`. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** The error of the driver, the server or the network, without TypeORM's wrapper. */
export function driverErrorOf(error: unknown): unknown {
  return error instanceof QueryFailedError ? error.driverError : error;
}

/** The SQLSTATE of a server error; `undefined` or another code for any other error. */
export function sqlStateOf(error: unknown): unknown {
  return (driverErrorOf(error) as { code?: unknown } | null | undefined)?.code;
}
