import { QueryFailedError } from 'typeorm';

/** The five characters by which PostgreSQL names an error; `undefined` for what is none of its own. */
export function sqlStateOf(error: unknown): unknown {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return (cause as { code?: unknown } | null | undefined)?.code;
}
