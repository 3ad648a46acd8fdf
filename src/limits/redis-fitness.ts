import type { Redis } from 'ioredis';

/** A server that answers, and that rates cannot be counted in all the same. */
export class UnfitRedisError extends Error {}

/** Redis names the field `redis_mode`, Valkey `server_mode`. */
const MODE = /^(?:redis|server)_mode:(\w+)/m;
const UNFIT_MODES: Record<string, string> = {
  cluster: 'is a node of a cluster, which has a part of the keys alone: give one server that is not in cluster mode',
  sentinel: 'is a sentinel: give the server that it watches, by a name that follows it where that changes',
};

/** @throws UnfitRedisError */
export async function assertFit(client: Redis): Promise<void> {
  const [, mode = ''] = MODE.exec(await client.info('server').catch(unlessCut)) ?? [];
  const problem = UNFIT_MODES[mode];
  if (problem !== undefined) throw new UnfitRedisError(problem);
  const { db = 0 } = client.options;
  // The client has asked for it as it connected, and goes on without, in database 0
  if (db !== 0) await client.select(db).catch((error: unknown) => throwUnfit(error, db));
}

/** An account need not have the right to ask for it. */
function unlessCut(error: unknown): string {
  if (isReply(error)) return '';
  throw error;
}

function throwUnfit(error: unknown, db: number): never {
  throw isReply(error) && /index/.test(error.message) ? new UnfitRedisError(`has no database ${db}`) : error;
}

/** Whether the server has said it, and not the network. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
