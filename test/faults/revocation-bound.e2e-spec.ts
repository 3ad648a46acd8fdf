import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from '../support/process.js';
import { metricOf } from '../support/metrics.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { verify } from '../support/verification.js';

const BOUND_MS = 1_000;
/** A loop that stalls repeatedly; it generates the load, and waits for nothing. */
const STALL_MS = 700;
const AWAKE_MS = 30;
const KEYS = 8;

// The embedded database allows only one process
(onServer ? describe : describe.skip)('a process that receives no notifications', () => {
  let database: TestDatabase;
  let proxy: Proxy;
  let revoking: ServiceProcess;
  let watched: ServiceProcess;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.variables.DATABASE_URL as string);
    sql = new pg.Client({ connectionString: url.href });
    await sql.connect();
    proxy = await startProxy(url.hostname, Number(url.port || 5432), { losesNotifications: true });
    revoking = await startProcess({ ...sharedVariables, ...database.variables });
    url.port = String(proxy.port);
    watched = await startProcess({ ...sharedVariables, ...database.variables, DATABASE_URL: url.href });
  });
  afterAll(async () => {
    watched?.resume();
    await Promise.all([revoking, watched].map((service) => service?.stop('SIGKILL')));
    await proxy?.cut();
    await sql?.end();
    await database?.drop();
  });

  it('answers no VALID to requests sent after it was paused past the bound', async () => {
    const keys = await knownKeys();
    for (const pauseMs of [1_500, 6_000]) {
      const doomed = keys.splice(0, KEYS / 2);
      // Each call reads its key again while the listening connections are cut: some do when it is paused
      const asking = new AbortController();
      const crowd = Promise.all(range(5).flatMap(() => doomed.map((key) => askOn(key, asking.signal))));
      await until(async () => {
        await cutFeeds();
        return (await metricOf(watched.client, 'w3ipfs_keys_change_feed_age_seconds')) > 0.95;
      }, 'changes to have been missed');
      watched.pause();
      let answers: Promise<string[]>;
      try {
        for (const key of doomed) await revoke(key);
        await sleep(pauseMs);
        // They wait in its sockets when it resumes, beside answers of the database and overdue timers
        answers = Promise.all(range(5).flatMap(() => doomed.map((key) => codeOf(key))));
        await sleep(BOUND_MS / 10);
      } finally {
        watched.resume();
        asking.abort();
      }
      await crowd;
      expect(new Set(await answers)).toEqual(new Set(['REVOKED']));
    }
  });

  it('answers no VALID past the bound while its event loop stalls repeatedly', async () => {
    const keys = await knownKeys();
    const stalling = new AbortController();
    const stalls = (async () => {
      while (!stalling.signal.aborted) {
        watched.pause();
        await sleep(STALL_MS);
        watched.resume();
        await sleep(AWAKE_MS);
      }
    })();
    await sleep(BOUND_MS);
    let lastValid: number[];
    try {
      for (const key of keys) await revoke(key);
      lastValid = await askUntilRevoked(keys);
    } finally {
      stalling.abort();
      await stalls;
    }
    print('while it stalls', lastValid);
    expect(Math.max(...lastValid)).toBeLessThan(BOUND_MS);
  });

  it('answers no VALID past the bound while its pools are full and its connections are cut', async () => {
    const keys = await knownKeys();
    // Each owner's row is locked, so that each of these calls occupies a connection until it times out
    const owners = range(30).map((index) => `owner-${index}`);
    for (const owner of owners) await issueKey(watched.client, owner, powerlessBody);
    await sql.query('BEGIN');
    await sql.query('SELECT FROM owners WHERE owner_id = ANY($1) FOR UPDATE', [owners]);
    const waiting = owners.map((owner) => watched.client.post('/api/apiKeys', sessionOf(owner), powerlessBody));
    const isFull = async () => {
      // Within a transaction, the view keeps its first snapshot
      await sql.query('SELECT pg_stat_clear_snapshot()');
      const { rows } = await sql.query(
        `SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return rows[0].waiting >= 8;
    };
    await until(isFull, 'the pool to be full');
    await cutFeeds();
    for (const key of keys) await revoke(key);
    const lastValid = await askUntilRevoked(keys);
    await sql.query('ROLLBACK');
    await Promise.all(waiting);
    print('while its pools are full', lastValid);
    expect(Math.max(...lastValid)).toBeLessThan(BOUND_MS);
  });

  const revokedAt = new Map<IssuedKey, number>();

  async function revoke(key: IssuedKey): Promise<void> {
    expect((await revoking.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'))).status).toBe(200);
    revokedAt.set(key, performance.now());
  }

  async function cutFeeds(): Promise<void> {
    await sql.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND query LIKE '%key_changes%' AND pid <> pg_backend_pid()`);
  }

  async function askOn(key: IssuedKey, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await codeOf(key);
  }

  /** Keys that the watched process has cached. */
  async function knownKeys(): Promise<IssuedKey[]> {
    const keys: IssuedKey[] = [];
    for (const _ of range(KEYS)) keys.push(await issueKey(revoking.client, 'ann', powerlessBody));
    for (const key of keys) expect(await codeOf(key)).toBe('VALID');
    return keys;
  }

  /** For each key, how long after its acknowledged revocation the last call began that was valid, in ms. */
  function askUntilRevoked(keys: IssuedKey[]): Promise<number[]> {
    return Promise.all(
      keys.map(async (key) => {
        let last = Number.NEGATIVE_INFINITY;
        await until(async () => {
          const began = performance.now();
          const code = await codeOf(key);
          if (code === 'VALID') last = began;
          return code === 'REVOKED';
        }, 'the revocation to be known');
        return last - (revokedAt.get(key) as number);
      }),
    );
  }

  async function codeOf(key: IssuedKey): Promise<string> {
    const { status, body } = await verify(watched.client, key);
    return status === 200 ? body.data.code : String(status);
  }

  function print(when: string, delays: number[]): void {
    process.stdout.write(`${delays.length} revocations seen ${when}: ${Math.max(...delays).toFixed(0)} ms at most\n`);
  }
});
