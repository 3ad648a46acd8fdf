import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { runConcurrently, range } from '../support/at-once.js';
import { onServer } from '../support/database.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { PostgresServer } from '../support/postgres-server.js';
import { type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { serviceHeaders, verify } from '../support/verification.js';

const CALLERS = 6;
const RESTARTS = 2;
const CUTS = 20;
/** The number of keys issued between two faults. */
const BETWEEN = 15;

/** The number of answers by status; `unanswered` if a process closed the connection. */
type Counts = Record<string, number>;

// The embedded database is in the process, and stops with it
(onServer ? describe : describe.skip)('while two processes issue and verify', () => {
  let postgres: PostgresServer;
  let services: ServiceProcess[] = [];
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    const variables = {
      ...sharedVariables,
      DATABASE_URL: postgres.url,
    };
    services = await Promise.all(range(2).map(() => startProcess(variables)));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop('SIGKILL')));
    await postgres?.stop();
  });

  it('PostgreSQL can be killed and restarted: nothing acknowledged is lost', async () => {
    await during('PostgreSQL killed and started again', async (progress) => {
      for (const _ of range(RESTARTS)) {
        await progress();
        await postgres.kill();
        await postgres.startAgain();
      }
      await progress();
    });
  });

  it('PostgreSQL can lose one of its processes: positions are of another epoch, since it may assign ids again', async () => {
    const epochOf = async () => {
      const answer = await services[0]?.client.get('/api/apiKeys/changes', serviceHeaders);
      return answer?.body?.data?.epoch as string | undefined;
    };
    const before = await epochOf();
    const { rows } = await postgres.query('SELECT pg_postmaster_start_time() AS started');
    await postgres.crash();
    await until(async () => ![undefined, before].includes(await epochOf()), 'another epoch');
    for (const { client } of services)
      await until(async () => (await client.get('/health/ready')).status === 200, 'the services to be ready');
    const { rows: after } = await postgres.query('SELECT pg_postmaster_start_time() AS started');
    expect(after[0].started).toEqual(rows[0].started);
  });

  it('its connections can be cut repeatedly: nothing acknowledged is lost', async () => {
    await during('connections ended', async (progress) => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      let ended = 0;
      for (const _ of range(CUTS)) {
        const { rowCount } = await client.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'w3ipfs-api-keys'",
        );
        ended += rowCount ?? 0;
        await sleep(50);
      }
      await client.end();
      process.stdout.write(`${ended} connections ended\n`);
      expect(ended).toBeGreaterThan(0);
      await progress();
    });
  });

  /** Issues and verifies continuously; `progress` waits until more keys were issued. */
  async function during(name: string, act: (progress: () => Promise<void>) => Promise<void>): Promise<void> {
    const known = await issueKey(services[0]!.client, 'ann', powerlessBody);
    for (const { client } of services) expect((await verify(client, known)).body.data.code).toBe('VALID');
    const keys: IssuedKey[] = [];
    const [issuing, verifying]: [Counts, Counts] = [{}, {}];
    const ending = new AbortController();
    const callers = (call: (service: ServiceProcess) => Promise<void>) =>
      runConcurrently(CALLERS, range(CALLERS), async (i) => {
        while (!ending.signal.aborted) await call(services[i % services.length] as ServiceProcess);
      });
    const busy = Promise.all([
      callers(async ({ client }) => {
        const answer = await client.post('/api/apiKeys', sessionOf('ann'), powerlessBody).catch(() => undefined);
        count(issuing, answer?.status);
        if (answer?.status === 200) keys.push(issued(answer));
        else await sleep(5);
      }),
      callers(async ({ client }) => {
        const newest = keys.at(-1) ?? known;
        for (const key of [known, newest]) {
          const answer = await verify(client, key).catch(() => undefined);
          count(verifying, answer?.status === 200 ? answer.body.data.code : answer?.status);
        }
        await sleep(5);
      }),
    ]);
    try {
      await act(async () => {
        const enough = keys.length + BETWEEN;
        await until(() => keys.length >= enough, 'keys to be issued');
      });
    } finally {
      ending.abort();
      await busy;
    }
    for (const { client } of services) {
      await until(async () => (await client.get('/health/ready')).status === 200, 'the service to be ready');
    }
    const lost: IssuedKey[] = [];
    await runConcurrently(CALLERS, keys.entries(), async ([i, key]) => {
      const { client } = services[i % services.length] as ServiceProcess;
      const { status } = await client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
      if (status !== 200) lost.push(key);
    });
    process.stdout.write(
      `${name}: issuing ${JSON.stringify(issuing)}, verifying ${JSON.stringify(verifying)}, lost ${lost.length}\n`,
    );
    expect(lost).toEqual([]);
    expect(Object.keys(issuing).filter((status) => !['200', '503'].includes(status))).toEqual([]);
    expect(Object.keys(verifying).filter((code) => !['VALID', '503'].includes(code))).toEqual([]);
  }

  function count(counts: Counts, outcome: string | number = 'unanswered'): void {
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
});
