import { setTimeout as sleep } from 'node:timers/promises';
import { runConcurrently, range } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { freePort } from './support/free-port.js';
import { bodyWith, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { type NginxGateway, NGINX_VARIABLE, startNginx } from './support/nginx.js';
import { type SmallServer, startPlatform } from './support/platform.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { verify } from './support/verification.js';

const CALLERS = 16;
/** The pause between an answer and a caller's next request: the starting processes need the cores too. */
const PAUSE_MS = 10;
/** Enough for four starts on a busy machine. */
const WITHIN_MS = 240_000;

const hasNginx = process.env[NGINX_VARIABLE] !== undefined;
if (!hasNginx) process.stdout.write(`Skipped, since ${NGINX_VARIABLE} is not set: a rolling restart behind nginx\n`);

// The embedded database allows only one process
(onServer && hasNginx ? describe : describe.skip)('two processes behind nginx, restarted one after the other,', () => {
  let database: TestDatabase;
  let platform: SmallServer;
  let gateway: NginxGateway;
  let ports: number[];
  let services: ServiceProcess[];
  const start = (port: number) =>
    startProcess({
      ...sharedVariables,
      PORT: String(port),
      DATABASE_URL: database.variables.DATABASE_URL as string,
      TRUSTED_PROXIES: '127.0.0.1',
    });
  beforeAll(async () => {
    [database, platform, ports] = await Promise.all([
      createTestDatabase(),
      startPlatform(),
      Promise.all([freePort(), freePort()]),
    ]);
    services = await Promise.all(ports.map(start));
    const keys = ports.map((port) => `127.0.0.1:${port}`) as [string, string];
    gateway = await startNginx({ keys, platform: platform.address });
  });
  afterAll(async () => {
    await gateway?.stop();
    await Promise.all(services.map((service) => service.stop()));
    await platform.stop();
    await database.drop();
  });

  it(
    'fail no request',
    async () => {
      const key = await issueKey(services[0]!.client, 'ann', bodyWith(['data.pin_list']));
      const session = sessionOf('ann');
      const calls: Record<string, () => Promise<Answer>> = {
        verify: () => verify(gateway.inside, key),
        'through the gateway': () => gateway.client.get('/api/pinning/pins', pairHeaders(key)),
        list: () => gateway.client.get('/api/apiKeys/list', session),
        issue: () => gateway.client.post('/api/apiKeys', session, powerlessBody),
      };
      const outcomes: Record<string, Record<string, number>> = {};
      const answered: IssuedKey[] = [];
      const ending = new AbortController();
      const load = runConcurrently(CALLERS, range(CALLERS), async (caller) => {
        const [name, call] = Object.entries(calls)[caller % 4] as [string, () => Promise<Answer>];
        const counts = (outcomes[name] ??= {});
        while (!ending.signal.aborted) {
          const outcome = await call().then(
            ({ status, body: answer }) => {
              if (name === 'issue' && status === 200) answered.push(answer.data);
              return String(answer?.data?.code ?? (status === 200 ? status : `${status} ${answer?.error?.message}`));
            },
            (error: NodeJS.ErrnoException) => error.code ?? error.message,
          );
          counts[outcome] = (counts[outcome] ?? 0) + 1;
          await sleep(PAUSE_MS);
        }
      });
      for (const [index, port] of ports.entries()) {
        expect(await services[index]!.end('SIGTERM')).toBe(0);
        services[index] = await start(port);
        const { client } = services[index];
        await until(async () => (await client.get('/health/ready')).status === 200, 'the process to be ready');
        await untilServed(client);
      }
      ending.abort();
      await load;
      process.stdout.write(`Rolling restart: ${JSON.stringify(outcomes)}\n`);
      expect(Object.fromEntries(Object.entries(outcomes).map(([name, counts]) => [name, Object.keys(counts)]))).toEqual(
        {
          verify: ['VALID'],
          'through the gateway': ['200'],
          list: ['200'],
          issue: ['200'],
        },
      );
      const { total } = (await services[0]!.client.get('/api/apiKeys/list', session)).body.data;
      expect(total).toBe(answered.length + 1);
    },
    WITHIN_MS,
  );

  /** nginx uses a process again a second after it found it down: the other must not stop before that. */
  async function untilServed(client: ServiceProcess['client']): Promise<void> {
    const name = 'w3ipfs_keys_verdicts_total{code="VALID"}';
    await until(async () => (await metricOf(client, name)) > 0, 'nginx to take the process again');
  }
});
