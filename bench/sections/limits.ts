import { compare } from '../compare.js';
import { type BenchDatabase, withDatabase } from '../database.js';
import { fillCache, verify, verifyBody } from '../requests.js';
import { startService } from '../service.js';
import { limitKeys, storeKeys } from '../stored-keys.js';

/** Redis for rates over several processes; without it that row is skipped. */
const REDIS_URL = process.env['REDIS_URL'];

const MANY = 1_000;
/** More than a benchmark uses. */
const MAX_USES = 1_000_000_000;
const REQUESTS_PER_SECOND = 1_000_000;

/** Measures the cost of counting: uses, durable before each answer, and rates, in the process and over Redis. */
export function limits(): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    try {
      const pairs = await storeKeys(database, MANY + 3);
      const [free, used, rated] = pairs;
      const many = pairs.slice(3);
      if (!free || !used || !rated) throw new Error('no key was stored');
      await limitKeys(database, [used, ...many], { maxUses: MAX_USES });
      await limitKeys(database, [rated], { requestsPerSecond: REQUESTS_PER_SECOND });
      await fillCache(service, pairs);
      await compare('Limited keys', service, [
        verify('verify, hit, no limits', free),
        verify('verify, hit, a rate limit in the process', rated),
        verify('verify, hit, one key with max_uses', used),
        { ...verify(`verify, hit, ${MANY} keys with max_uses`, used), bodies: many.map(verifyBody) },
      ]);
      await overRedis(database, rated);
    } finally {
      await service.stop();
    }
  });
}

async function overRedis(database: BenchDatabase, rated: Parameters<typeof verify>[1]): Promise<void> {
  if (!REDIS_URL) {
    console.log('\nLEFT OUT: rates over Redis. It needs a server: REDIS_URL=redis://...');
    return;
  }
  const service = await startService(database, { REDIS_URL });
  try {
    await compare('Over Redis', service, [verify('verify, hit, a rate limit over Redis', rated)]);
  } finally {
    await service.stop();
  }
}
