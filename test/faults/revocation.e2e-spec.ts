import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { runConcurrently, range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { run, type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { sessionOf } from '../support/sessions.js';

const BOUND_MS = 1_000;
const PAUSE_MS = 5;
const TEST = '/api/apiKeys/testAuthentication';

let database: TestDatabase;
const variables = () => ({
  ...sharedVariables,
  ...database.variables,
});

// The embedded database allows only one process
const PROCESSES = onServer ? 3 : 1;
let services: ServiceProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  services = await Promise.all(range(PROCESSES).map(() => startProcess(variables())));
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop('SIGKILL')));
  await database.drop();
});

it('takes effect within the bound for a key that an operator revokes from another process', async () => {
  const [service] = services as [ServiceProcess];
  const key = await issueKey(service.client, 'ann', powerlessBody);
  expect((await service.client.get(TEST, pairHeaders(key))).status).toBe(200);

  expect((await run(['dist/cli.js', 'revoke', '--api-key', key.api_key], variables())).code).toBe(0);
  const revokedAt = performance.now();
  expect((await lastTaken(service, key)) - revokedAt).toBeLessThan(BOUND_MS);
});

(onServer ? describe : describe.skip)('over three processes', () => {
  const KEYS = 500;
  const KEYS_WHILE_CUT = 200;
  const CALLERS = 6;

  it(`takes effect for ${KEYS} revocations on the other two`, async () => {
    const delays = await revokeAndWatch(KEYS);
    print('with notifications', delays);
    expect(percentile(delays, 0.99)).toBeLessThan(BOUND_MS);
    expect(Math.max(...delays)).toBeLessThan(BOUND_MS);
  });

  it(`takes effect for ${KEYS_WHILE_CUT} revocations while the listening connections are cut repeatedly`, async () => {
    const { DATABASE_URL: connectionString } = database.variables;
    const client = new pg.Client({ connectionString: connectionString as string });
    await client.connect();
    let cuts = 0;
    const cutting = new AbortController();
    const cutter = (async () => {
      while (!cutting.signal.aborted) {
        const { rowCount } = await client.query(`
          SELECT pg_sleep(0.02), pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'w3ipfs-api-keys' AND pid <> pg_backend_pid()
            AND (query LIKE 'LISTEN%' OR query LIKE '%pg_snapshot_xmin%')`);
        cuts += rowCount ?? 0;
      }
    })();
    const delays = await revokeAndWatch(KEYS_WHILE_CUT);
    cutting.abort();
    await cutter;
    await client.end();
    print(`with ${cuts} connections cut`, delays);
    expect(cuts).toBeGreaterThan(0);
    expect(Math.max(...delays)).toBeLessThan(BOUND_MS);
  });

  /** Revokes keys that all three have cached, and measures how long the other two still accept them after the answer, in ms. */
  async function revokeAndWatch(count: number): Promise<number[]> {
    const [first, ...others] = services as [ServiceProcess, ...ServiceProcess[]];
    const delays: number[] = [];
    await runConcurrently(CALLERS, range(count), async () => {
      const key = await issueKey(first.client, 'crowd', powerlessBody);
      for (const { client } of others) expect((await client.get(TEST, pairHeaders(key))).status).toBe(200);
      expect((await first.client.delete(`/api/apiKeys/${key.id}`, sessionOf('crowd'))).status).toBe(200);
      const revokedAt = performance.now();
      expect((await first.client.get(TEST, pairHeaders(key))).status).toBe(401);
      const last = await Promise.all(others.map((other) => lastTaken(other, key)));
      delays.push(...last.map((at) => Math.max(0, at - revokedAt)));
    });
    return delays;
  }
});

/** Verifies every few milliseconds until the key is denied. @returns when the last call began that was not */
async function lastTaken({ client }: ServiceProcess, key: IssuedKey): Promise<number> {
  for (let last = Number.NEGATIVE_INFINITY; ;) {
    const began = performance.now();
    const { status } = await client.get(TEST, pairHeaders(key));
    if (status === 401) return last;
    expect(status).toBe(200);
    last = began;
    // With a pause: without one, the callers would starve the processes of the time to read changes
    await sleep(PAUSE_MS);
  }
}

function percentile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number;
}

function print(name: string, delays: number[]): void {
  const [p50, p99, most] = [percentile(delays, 0.5), percentile(delays, 0.99), Math.max(...delays)];
  process.stdout.write(
    `${delays.length} revocations seen, ${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms\n`,
  );
}
