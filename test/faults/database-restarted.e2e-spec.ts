import pg from 'pg';
import { atOnce, range } from '../support/at-once.js';
import { onServer } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { PostgresServer } from '../support/postgres-server.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { accountService, sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { serviceVariables, verify } from '../support/verification.js';

const CALLERS = 8;
/** What happens to PostgreSQL happens when so many keys have been issued since the last of it. */
const KEYS_BETWEEN = 60;

// The embedded database ends with its process
(onServer ? describe : describe.skip)('while PostgreSQL is cut off, killed and started again', () => {
  let postgres: PostgresServer;
  let services: ServiceProcess[] = [];
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    const variables = {
      DATABASE_URL: postgres.url,
      JWT_PUBLIC_KEY: accountService.publicKey,
      CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
      ...serviceVariables,
    };
    services = await Promise.all(range(2).map(() => startProcess(variables)));
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop('SIGKILL')));
    await postgres?.stop();
  });

  it('keeps what it acknowledged, refuses with 503 alone, gives no wrong verdict, and recovers by itself', async () => {
    const known = await issueKey(services[0]!.client, 'ann', powerlessBody);
    for (const { client } of services) expect((await verify(client, known)).body.data.code).toBe('VALID');
    const issued: IssuedKey[] = [];
    const counts: Record<string, number> = {};
    const over = new AbortController();
    const note = (outcome: string) => (counts[outcome] = (counts[outcome] ?? 0) + 1);
    const callers = atOnce(2 * CALLERS, range(2 * CALLERS), async (caller) => {
      const { client } = services[caller % 2] as ServiceProcess;
      while (!over.signal.aborted) {
        if (caller < CALLERS) {
          const { status, body } = await client.post('/api/apiKeys', sessionOf('ann'), powerlessBody);
          if (status === 200) issued.push(body.data);
          note(`issue ${status}`);
        } else {
          const { status, body } = await verify(client, known);
          note(`verify ${status === 200 ? body.data.code : status}`);
        }
      }
    });
    const more = async () => {
      const enough = issued.length + KEYS_BETWEEN;
      await until(() => issued.length >= enough, 'further keys to be issued');
    };
    await more();
    const cut = await cutConnections(postgres.url);
    await more();
    await postgres.kill();
    await until(() => (counts['issue 503'] ?? 0) >= CALLERS, 'the outage to be noticed');
    await postgres.startAgain();
    await more();
    over.abort();
    await callers;

    const there = await keysOf(services[1] as ServiceProcess);
    const lost = issued.filter(({ id }) => !there.has(id));
    process.stdout.write(
      `PostgreSQL: ${cut} connections cut, killed and started again: ${JSON.stringify(counts)}; ` +
        `${issued.length} keys acknowledged, ${lost.length} lost\n`,
    );
    expect(lost).toEqual([]);
    expect(cut).toBeGreaterThan(0);
    expect(Object.keys(counts).toSorted()).toEqual(['issue 200', 'issue 503', 'verify VALID']);
    for (const { client } of services) expect((await client.get('/health/ready')).status).toBe(200);
  });
});

/** Ends all connections of the service. @returns how many there were */
async function cutConnections(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rowCount } = await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'w3ipfs-api-keys'",
  );
  await client.end();
  return rowCount ?? 0;
}

async function keysOf({ client }: ServiceProcess): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor = '';
  do {
    const { body } = await client.get(`/api/apiKeys/list?limit=100${cursor}`, sessionOf('ann'));
    for (const { id } of body.data.api_keys) ids.add(id);
    cursor = body.data.next_cursor && `&cursor=${encodeURIComponent(body.data.next_cursor)}`;
  } while (cursor);
  return ids;
}
