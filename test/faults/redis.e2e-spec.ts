import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { runConcurrently, range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { HAS_REDIS_SERVER, RedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { serviceHeaders, verify } from '../support/verification.js';

const REQUESTS = 100;
const CALLERS = 32;
/** Far above the 250 ms timeout of Redis, and below the time it is frozen for. */
const QUICK_MS = 2_000;
const CUTS = 40;
/** How many times more is requested than allowed. */
const TOO_MANY = 10;

/** When a granted request was sent and answered: it was charged in between. */
interface Grant {
  sentAt: number;
  answeredAt: number;
}

if (!HAS_REDIS_SERVER) process.stdout.write('Skipped, since there is no redis-server: rate limits over processes\n');

// The embedded database allows only one process
(onServer && HAS_REDIS_SERVER ? describe : describe.skip)('a rate limit, over three processes', () => {
  let database: TestDatabase;
  let redis: RedisServer;
  let services: ServiceProcess[] = [];
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), RedisServer.start()]);
    const variables = {
      ...sharedVariables,
      DATABASE_URL: database.variables.DATABASE_URL as string,
      REDIS_URL: redis.url,
    };
    services = await Promise.all(range(3).map(() => startProcess(variables)));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop('SIGKILL')));
    redis?.thaw();
    await redis?.kill();
    await database.drop();
  });

  const issue = (requests: number, window_seconds: number) =>
    issueKey(services[0]!.client, 'ann', { ...powerlessBody, limits: { rate_limit: { requests, window_seconds } } });

  it('is never exceeded in any window, and close to its steady rate is granted', async () => {
    // On a busy machine, Redis may answer too late, and then each process counts separately
    for (let tries = 1; ; tries++) {
      const [before, measure] = [await allFallbacks(), await Promise.all([overrun(2, 5.55), overrun(10, 1.15)])];
      const alone = (await allFallbacks()) - before;
      process.stdout.write(`${alone} of these decisions were made without Redis\n`);
      if (alone > 0 && tries < 4) continue;
      expect(alone).toBe(0);
      for (const { most, granted, least } of measure) {
        expect(most).toBeLessThanOrEqual(REQUESTS);
        expect(granted).toBeGreaterThanOrEqual(least);
      }
      return;
    }
  });

  /** Requests too much over several windows, steadily and in bursts around the ends of windows. */
  async function overrun(windowSeconds: number, lengths: number) {
    const key = await issue(REQUESTS, windowSeconds);
    const windowMs = windowSeconds * 1_000;
    const began = performance.now();
    const grants: Grant[] = [];
    const arrivals = arrivalsOver(lengths).map((at) => began + at * windowMs);
    await runConcurrently(CALLERS, arrivals.entries(), async ([i, at]) => {
      const early = at - performance.now();
      if (early > 0) await sleep(early);
      const sentAt = performance.now();
      if ((await codeOf(services[i % 3]!, key)) === 'VALID') grants.push({ sentAt, answeredAt: performance.now() });
    });
    const most = maxWithin(windowMs, grants);
    const passed = (performance.now() - began) / windowMs;
    process.stdout.write(
      `${REQUESTS} in ${windowSeconds} s allowed, ${arrivals.length} asked in ${passed.toFixed(2)} windows: ` +
        `${grants.length} granted, at most ${most} of them certainly in one window\n`,
    );
    return { most, granted: grants.length, least: 0.9 * REQUESTS * lengths };
  }

  it('is divided among the processes while Redis is unavailable, and shared again after its return', async () => {
    const requests = 30;
    const grantsOf = (codes: string[]) => codes.filter((code) => code === 'VALID').length;
    await expectTogether();
    const key = await issue(requests, 3_600);

    await redis.kill();
    for (const service of services) {
      const codes = await Promise.all(range(3 * requests).map(() => codeOf(service, key)));
      expect([grantsOf(codes), new Set(codes)]).toEqual([requests / 3, new Set(['VALID', 'RATE_LIMITED'])]);
      expect(service.output()).toMatch(
        /WARN.*Redis at .* is unavailable .*: rate limits are per process until it returns/,
      );
    }

    await redis.startAgain();
    for (const service of services) await untilBack(service);
    for (const { output } of services) expect(output()).toMatch('is available again');
    await expectTogether();
  });

  it('is not exceeded by a stall, whose grants count afterwards', async () => {
    const requests = 10;
    await expectTogether();
    const keys = await Promise.all(range(3).map(() => issue(requests, 3_600)));
    const [spent, half, unknown] = keys as [IssuedKey, IssuedKey, IssuedKey];
    const granted = { spent: 0, half: 0, unknown: 0 };
    const ask = async (times: number, some: Partial<Record<keyof typeof granted, IssuedKey>>) => {
      for (const i of range(3 * times)) {
        for (const [name, key] of Object.entries(some) as [keyof typeof granted, IssuedKey][]) {
          if ((await codeOf(services[i % 3]!, key)) === 'VALID') granted[name]++;
        }
      }
    };
    await ask(8, { spent });
    await ask(2, { half });
    redis.freeze();
    await ask(8, { spent, half, unknown });
    process.stdout.write(`Redis stalled: ${JSON.stringify(granted)} granted of ${requests} each\n`);
    expect(granted).toEqual({ spent: 10, half: 10, unknown: 9 });
    redis.thaw();
    for (const service of services) await untilBack(service);
    await ask(8, { spent, half, unknown });
    process.stdout.write(`Redis back: ${JSON.stringify(granted)} granted of ${requests} each\n`);
    expect(granted.spent).toBe(10);
    expect(granted.half).toBe(10);
    expect(granted.unknown).toBeLessThanOrEqual(10);
    await expectTogether();
  });

  it('is decided immediately by each process separately while Redis is frozen, which each reports', async () => {
    const fallbacks = await Promise.all(services.map(fallbacksOf));
    redis.freeze();
    await expectAlone('Redis frozen');
    for (const [i, service] of services.entries())
      expect(await fallbacksOf(service)).toBeGreaterThan(fallbacks[i] as number);
    redis.thaw();
    await expectTogether();
  });

  it('is decided while the connections to Redis are cut repeatedly', async () => {
    const before = await allFallbacks();
    const admin = new Redis(redis.url);
    const key = await issue(10_000, 3_600);
    const codes: Record<string, number> = {};
    const times: number[] = [];
    const cutting = new AbortController();
    const busy = runConcurrently(6, range(6), async (i) => {
      while (!cutting.signal.aborted) {
        const began = performance.now();
        const code = await codeOf(services[i % 3]!, key);
        times.push(performance.now() - began);
        codes[code] = (codes[code] ?? 0) + 1;
        await sleep(2);
      }
    });
    let cuts = 0;
    for (const _ of range(CUTS)) {
      cuts += Number(await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      await sleep(50);
    }
    cutting.abort();
    await busy;
    admin.disconnect();
    const most = Math.max(...times);
    process.stdout.write(
      `${cuts} connections to Redis cut: ${times.length} calls made, answered ${JSON.stringify(codes)}, ` +
        `${(await allFallbacks()) - before} without Redis, the slowest in ${most.toFixed(0)} ms\n`,
    );
    expect(cuts).toBeGreaterThan(0);
    expect(await allFallbacks()).toBeGreaterThan(before);
    expect(codes).toEqual({ VALID: times.length });
    expect(most).toBeLessThan(QUICK_MS);
    await expectTogether();
  });

  async function expectAlone(name: string): Promise<void> {
    const requests = 10;
    const key = await issue(requests, 3_600);
    const times: number[] = [];
    for (const service of services) {
      const codes: Record<string, number> = {};
      await runConcurrently(CALLERS, range(3 * requests), async () => {
        const began = performance.now();
        const code = await codeOf(service, key);
        times.push(performance.now() - began);
        codes[code] = (codes[code] ?? 0) + 1;
      });
      const share = Math.floor(requests / 3);
      expect(codes).toEqual({ VALID: share, RATE_LIMITED: 3 * requests - share });
      expect(await metric(service, 'redis_up')).toBe(0);
      const { status, body } = await service.client.get('/health/ready');
      expect([status, body.error.details.map(({ path }: { path: string }) => path)]).toEqual([503, ['redis']]);
    }
    const most = Math.max(...times);
    process.stdout.write(`${name}: ${times.length} calls made, all answered, the slowest in ${most.toFixed(0)} ms\n`);
    expect(most).toBeLessThan(QUICK_MS);
  }

  async function expectTogether(): Promise<void> {
    for (const service of services) await untilBack(service);
    // A process may not have noticed the last cut yet, and a busy one may get its answer too late
    await until(async () => {
      const key = await issue(10, 3_600);
      const codes = await Promise.all(range(60).map((i) => codeOf(services[i % 3]!, key)));
      return codes.filter((code) => code === 'VALID').length === 10;
    }, 'rates to be counted together');
    const isReady = async ({ client }: ServiceProcess) => (await client.get('/health/ready')).status === 200;
    for (const service of services) await until(() => isReady(service), 'the service to be ready');
  }

  const untilBack = (service: ServiceProcess) =>
    until(async () => (await metric(service, 'redis_up')) === 1, 'Redis to be used again');
  const allFallbacks = async () =>
    (await Promise.all(services.map(fallbacksOf))).reduce((one, other) => one + other, 0);
  const fallbacksOf = (service: ServiceProcess) => metric(service, 'rate_limiter_fallbacks_total');

  async function metric({ client }: ServiceProcess, name: string): Promise<number> {
    const { text } = await client.get('/metrics', serviceHeaders);
    return Number(new RegExp(`^w3ipfs_keys_${name}(?:{.*})? (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }
});

/** When to send a request, in windows from the first call on. */
function arrivalsOver(lengths: number): number[] {
  const steady = TOO_MANY * REQUESTS * 0.6;
  const arrivals = range(Math.ceil(steady * lengths)).map((i) => i / steady);
  for (let edge = 1; edge < lengths; edge++) {
    // Grants count for the length of the window, and at most a hundredth longer
    for (const about of [edge - 0.002, edge + 0.002, edge * 1.01 + 0.002])
      arrivals.push(...range((TOO_MANY * REQUESTS * 0.4) / 3).map(() => about));
  }
  return arrivals.toSorted((one, other) => one - other);
}

/** The most grants that certainly lay in one window, wherever it began: sent after its start, answered before its end. */
function maxWithin(windowMs: number, grants: Grant[]): number {
  const within = ({ sentAt }: Grant) =>
    grants.filter((other) => other.sentAt >= sentAt && other.answeredAt < sentAt + windowMs).length;
  return Math.max(...grants.map(within));
}

async function codeOf({ client }: ServiceProcess, key: IssuedKey): Promise<string> {
  return (await verify(client, key)).body.data.code;
}
