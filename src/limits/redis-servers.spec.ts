import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { makeCertificates } from '../../test/support/certificates.js';
import { makeFolder, removeFolder } from '../../test/support/folders.js';
import { HAS_REDIS_SERVER, RedisServer } from '../../test/support/redis-server.js';
import { until } from '../../test/support/until.js';
import { SystemClock } from '../clock.js';
import { ConfigurationError } from '../config/start-error.js';
import { InProcessRateLimiter } from './in-process-rate-limiter.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';

if (!HAS_REDIS_SERVER) process.stdout.write('Skipped, since there is no redis-server: kinds of servers\n');

(HAS_REDIS_SERVER ? describe : describe.skip)('a server in REDIS_URL', () => {
  const limiters: RedisRateLimiter[] = [];
  let folder: string;
  let server: RedisServer | undefined;
  let warn: jest.SpiedFunction<Logger['warn']>;

  beforeEach(() => {
    folder = makeFolder();
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    jest.spyOn(Logger.prototype, 'log').mockImplementation(() => {});
  });
  afterEach(async () => {
    await Promise.all(limiters.splice(0).map((limiter) => limiter.close()));
    await server?.kill();
    server = undefined;
    removeFolder(folder);
    jest.restoreAllMocks();
  });

  async function open(url: string): Promise<RedisRateLimiter> {
    const clock = new SystemClock();
    const limiter = new RedisRateLimiter({ url }, new InProcessRateLimiter(clock), clock);
    limiters.push(limiter);
    await limiter.open();
    return limiter;
  }

  const problemsOf = async ({ url }: { url: string }) => {
    const error: unknown = await open(url).catch((rejection: unknown) => rejection);
    return error instanceof ConfigurationError ? error.problems : error;
  };

  it('is rejected if it is a cluster node, even one with all the keys', async () => {
    server = await RedisServer.start(['--cluster-enabled', 'yes', '--dir', folder]);
    const client = new Redis(server.url);
    await client.cluster('ADDSLOTSRANGE', 0, 16_383);
    await until(async () => /cluster_state:ok/.test(await client.cluster('INFO')), 'the cluster');
    client.disconnect();
    const expected = `REDIS_URL (127.0.0.1:${server.port}): is a cluster node, which holds only part of the keys; use a server`;
    expect(await problemsOf(server)).toEqual([expect.stringContaining(expected)]);
    // The same with a database number, which clusters do not support
    expect(await problemsOf({ url: `${server.url}/1` })).toEqual([expect.stringContaining(expected)]);
  });

  it('is rejected if it is a sentinel', async () => {
    writeFileSync(join(folder, 'sentinel.conf'), '');
    server = await RedisServer.start([join(folder, 'sentinel.conf'), '--sentinel']);
    expect(await problemsOf(server)).toEqual([
      expect.stringMatching(/^REDIS_URL \(127\.0\.0\.1:\d+\): is a sentinel; use the server that it monitors/),
    ]);
  });

  it('is rejected if it lacks the database, and used otherwise', async () => {
    server = await RedisServer.start(['--databases', '4']);
    expect(await problemsOf({ url: `${server.url}/4` })).toEqual([
      expect.stringMatching(/^REDIS_URL \(127\.0\.0\.1:\d+\): has no database 4$/),
    ]);
    expect((await open(`${server.url}/3`)).isShared).toBe(true);
    const client = new Redis(`${server.url}/3`);
    expect(await client.dbsize()).toBeGreaterThan(0);
    client.disconnect();
  });

  it('need not permit INFO to the account', async () => {
    server = await RedisServer.start();
    const client = new Redis(server.url);
    await client.acl('SETUSER', 'keys', 'on', '>p@ss', '~w3ipfs:*', '+@all', '-info');
    client.disconnect();
    expect((await open(server.url.replace('//', '//keys:p%40ss@'))).isShared).toBe(true);
  });

  it('is named with the reason if it cannot be reached', async () => {
    server = await RedisServer.startWithTls(makeCertificates(folder));
    const { port } = server;
    expect((await open(`rediss://localhost:${port}`)).isShared).toBe(false);
    await server.kill();
    await open(`redis://127.0.0.1:${port}`);
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringMatching(new RegExp(`^Redis at localhost:${port} is unavailable \\(.*certificate`)),
      expect.stringMatching(new RegExp(`^Redis at 127\\.0\\.0\\.1:${port} is unavailable \\(connect ECONNREFUSED`)),
    ]);
  });
});
