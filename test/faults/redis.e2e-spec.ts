import { setTimeout as sleep } from 'node:timers/promises';
import { atOnce, range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { HAS_REDIS_SERVER, RedisServer } from '../support/redis-server.js';
import { accountService } from '../support/sessions.js';
import { until } from '../support/until.js';
import { serviceVariables, verify } from '../support/verification.js';

const REQUESTS = 100;
const CALLERS = 32;
/** How many times as many are asked for as are allowed. */
const TOO_MANY = 10;

/** When a request that was granted was sent, and when its answer was there: it was charged in between. */
interface Grant {
  sentAt: number;
  answeredAt: number;
}

if (!HAS_REDIS_SERVER) process.stdout.write('Left out, since there is no redis-server: rate limits over processes\n');

// The embedded database has one process alone
(onServer && HAS_REDIS_SERVER ? describe : describe.skip)('a rate limit, over three processes', () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let services: ServiceProcess[] = [];
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), RedisServer.start()]);
    const variables = {
      DATABASE_URL: database.variables.DATABASE_URL as string,
      REDIS_URL: redis.url,
      JWT_PUBLIC_KEY: accountService.publicKey,
      CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
      ...serviceVariables,
    };
    services = await Promise.all(range(3).map(() => startProcess(variables)));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await redis?.kill();
    await database.drop();
  });

  const issue = (requests: number, window_seconds: number) =>
    issueKey(services[0]!.client, 'ann', { ...powerlessBody, limits: { rate_limit: { requests, window_seconds } } });

  it('is never exceeded in any window, and not much less than its steady rate is granted', async () => {
    await Promise.all([overrun(2, 5.55), overrun(10, 1.15)]);
    for (const { output } of services) expect(output()).not.toMatch('is away');
  });

  /** Asks for too much, over so many windows, steadily and in bursts about the moments at which windows end. */
  async function overrun(windowSeconds: number, lengths: number): Promise<void> {
    const key = await issue(REQUESTS, windowSeconds);
    const windowMs = windowSeconds * 1_000;
    const began = performance.now();
    const grants: Grant[] = [];
    const arrivals = arrivalsOver(lengths).map((at) => began + at * windowMs);
    await atOnce(CALLERS, arrivals.entries(), async ([i, at]) => {
      const early = at - performance.now();
      if (early > 0) await sleep(early);
      const sentAt = performance.now();
      if ((await codeOf(services[i % 3]!, key)) === 'VALID') grants.push({ sentAt, answeredAt: performance.now() });
    });
    const most = mostWithin(windowMs, grants);
    const passed = (performance.now() - began) / windowMs;
    process.stdout.write(
      `${REQUESTS} in ${windowSeconds} s allowed, ${arrivals.length} asked in ${passed.toFixed(2)} windows: ` +
        `${grants.length} granted, at most ${most} of them certainly in one window\n`,
    );
    expect(most).toBeLessThanOrEqual(REQUESTS);
    expect(grants.length).toBeGreaterThanOrEqual(0.9 * REQUESTS * lengths);
  }

  it('is counted by each process for itself while Redis is away, and together again when it is back', async () => {
    const requests = 30;
    const key = await issue(requests, 3_600);
    const grantsOf = (codes: string[]) => codes.filter((code) => code === 'VALID').length;
    const askAll = () => Promise.all(range(9 * requests).map((i) => codeOf(services[i % 3]!, key)));
    expect(grantsOf(await askAll())).toBe(requests);

    await redis.kill();
    for (const service of services) {
      const codes = await Promise.all(range(3 * requests).map(() => codeOf(service, key)));
      expect([grantsOf(codes), new Set(codes)]).toEqual([requests, new Set(['VALID', 'RATE_LIMITED'])]);
      expect(service.output()).toMatch(/WARN.*is away, and rates are counted by each process for itself/);
    }

    await redis.startAgain();
    for (const { output } of services) await until(() => output().includes('is back'), 'Redis to be used again');
    // It has forgotten everything
    expect(grantsOf(await askAll())).toBe(requests);
  });
});

/** When to ask, in windows from the first call on. */
function arrivalsOver(lengths: number): number[] {
  const steady = TOO_MANY * REQUESTS * 0.6;
  const arrivals = range(Math.ceil(steady * lengths)).map((i) => i / steady);
  for (let edge = 1; edge < lengths; edge++) {
    // A window ends after its length, and what was granted in it counts for a hundredth more at the most
    for (const about of [edge - 0.002, edge + 0.002, edge * 1.01 + 0.002])
      arrivals.push(...range((TOO_MANY * REQUESTS * 0.4) / 3).map(() => about));
  }
  return arrivals.toSorted((one, other) => one - other);
}

/** How many grants certainly lay in one window, wherever it began: sent after its beginning, answered before its end. */
function mostWithin(windowMs: number, grants: Grant[]): number {
  const within = ({ sentAt }: Grant) =>
    grants.filter((other) => other.sentAt >= sentAt && other.answeredAt < sentAt + windowMs).length;
  return Math.max(...grants.map(within));
}

async function codeOf({ client }: ServiceProcess, key: IssuedKey): Promise<string> {
  return (await verify(client, key)).body.data.code;
}
