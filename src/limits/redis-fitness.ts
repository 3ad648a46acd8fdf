import type { Redis } from 'ioredis';

/** The server responds but cannot be used to count rates. */
export class UnusableRedisError extends Error {}

/** The field is named `redis_mode` in Redis, `server_mode` in Valkey. */
const MODE = /^(?:redis|server)_mode:(\w+)/m;
const UNUSABLE_MODES: Record<string, string> = {
  cluster: 'is a cluster node, which holds only part of the keys; use a server that is not in cluster mode',
  sentinel: 'is a sentinel; use the server that it monitors, by a name that follows a failover',
};

/** @throws UnfitRedisError */
export async function assertUsable(client: Redis): Promise<void> {
  const [, mode = ''] = MODE.exec(await client.info('server').catch(emptyIfRefused)) ?? [];
  const problem = UNUSABLE_MODES[mode];
  if (problem !== undefined) throw new UnusableRedisError(problem);
  const { db = 0 } = client.options;
  // The client selects it on connecting but ignores a failure and stays in database 0, so select it again
  if (db !== 0) await client.select(db).catch((error: unknown) => throwUnusable(error, db));
}

/** The account may lack permission for INFO, in which case the mode is not checked. */
function emptyIfRefused(error: unknown): string {
  if (isReply(error)) return '';
  throw error;
}

function throwUnusable(error: unknown, db: number): never {
  throw isReply(error) && /index/.test(error.message) ? new UnusableRedisError(`has no database ${db}`) : error;
}

/** Whether the error is a reply of the server, not a network failure. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
