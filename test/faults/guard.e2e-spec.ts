import { setTimeout as sleep } from 'node:timers/promises';
import { range, runConcurrently } from '../support/at-once.js';
import { sharedVariables, type ServiceProcess, startProcess } from '../support/process.js';
import { type Denial, GuardProcess } from '../support/guard-process.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { type NginxGateway, NGINX_VARIABLE, startNginx } from '../support/nginx.js';
import { PostgresServer } from '../support/postgres-server.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';

const BOUND_MS = 1_000;
const SERVICES = 3;
const GUARDS = 4;
const AT_ONCE = 4;
/** Undisturbed, so that the processes of the test do not wait for each other's turns on the machine. */
const AT_ONCE_UNDISTURBED = 2;
/** Undisturbed. */
const REVOCATIONS = 1_000;
/** In each fault. */
const REVOKED_IN_FAULT = 40;
const FAULT_MS = 3_000;

/** A key that was revoked, and what each guard saw of it. */
interface Revocation {
  answeredAt: number;
  denials: Denial[];
}

(process.env[NGINX_VARIABLE] ? describe : describe.skip)('guards of services behind nginx', () => {
  let postgres: PostgresServer;
  let database: Proxy;
  let services: ServiceProcess[];
  let nginx: NginxGateway;
  let held: Proxy;
  let guards: GuardProcess[];

  beforeAll(async () => {
    postgres = await PostgresServer.start();
    database = await startProxy('127.0.0.1', postgres.listensAt, { losesNotifications: false });
    services = [];
    for (const _ of range(SERVICES)) services.push(await startService(database.port));
    nginx = await startNginx({ keys: services.map(addressOf), platform: '127.0.0.1:9' });
    held = await startProxy('127.0.0.1', Number(new URL(nginx.inside.url).port));
    guards = await Promise.all(range(GUARDS).map(() => GuardProcess.start(`http://127.0.0.1:${held.port}`)));
  });
  afterAll(async () => {
    for (const guard of guards ?? []) guard.thaw();
    await Promise.all((guards ?? []).map((guard) => guard.stop()));
    await held?.cut();
    await nginx?.stop();
    postgres?.thaw();
    for (const service of services ?? []) service.resume();
    await Promise.all((services ?? []).map((service) => service.stop('SIGKILL')));
    await database?.cut();
    await postgres?.stop();
  });

  function startService(port: number): Promise<ServiceProcess> {
    return startProcess({ ...sharedVariables, DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/postgres` });
  }

  it('deny a thousand revoked keys', async () => {
    const revocations = await revokeAll(await knownKeys(REVOCATIONS));
    print('undisturbed', revocations);
    expectWithinBound(revocations);
  });

  it('deny within the bound while all notifications are lost', async () => {
    const lose = (isLosing: boolean) => () => database.loseNotifications(isLosing);
    await expectDenials('notifications lost', { begin: lose(true), end: lose(false) });
  });

  it('deny within the bound while a proxy holds each answer for three seconds', async () => {
    await expectDenials('answers held', { begin: () => held.hold(3_000), end: () => held.hold(0) });
  });

  it('deny within the bound while a service is frozen', async () => {
    await expectDenials('a service frozen', { begin: () => service(1).pause(), end: () => service(1).resume() });
  });

  it('deny within the bound after they were frozen', async () => {
    const [frozen] = guards as [GuardProcess];
    await expectDenials('a guard frozen', { begin: () => frozen.freeze(), end: () => frozen.thaw() });
  });

  it('deny within the bound while the database is frozen', async () => {
    await expectDenials('the database frozen', { begin: () => postgres.freeze(), end: () => postgres.thaw() }, true);
  });

  it('deny within the bound while a service is killed', async () => {
    const begin = () =>
      service(1)
        .end('SIGKILL')
        .catch(() => undefined);
    await expectDenials('a service killed', { begin });
  });

  const service = (index: number) => services[index] as ServiceProcess;

  /** Keys on which every guard decides by itself. */
  async function knownKeys(count: number): Promise<IssuedKey[]> {
    const keys: IssuedKey[] = [];
    await runConcurrently(AT_ONCE, range(count), async () => {
      const key = await issueKey(service(0).client, 'ann', powerlessBody);
      await Promise.all(guards.map((guard) => guard.learn(key)));
      keys.push(key);
    });
    return keys;
  }

  async function revokeAll(keys: IssuedKey[]): Promise<Revocation[]> {
    const revocations: Revocation[] = [];
    await runConcurrently(AT_ONCE_UNDISTURBED, keys, async (key) => {
      revocations.push(await revokeOne(key).revocation);
    });
    return revocations;
  }

  /** Revokes keys while a fault begins, lasts and ends. @param isBlocking whether nothing is revoked meanwhile */
  async function expectDenials(
    what: string,
    { begin = () => {}, end = () => {} }: { begin?: () => unknown; end?: () => unknown } = {},
    isBlocking = false,
  ): Promise<void> {
    const keys = await knownKeys(REVOKED_IN_FAULT);
    const before = keys.splice(0, AT_ONCE).map((key) => revokeOne(key));
    await Promise.all(before.map(({ answered }) => answered));
    await begin();
    const during = keys.map((key) => revokeOne(key));
    if (!isBlocking) await Promise.all(during.map(({ answered }) => answered));
    await sleep(FAULT_MS);
    await end();
    const all = await Promise.all([...before, ...during].map(({ revocation }) => revocation));
    print(what, all);
    expectWithinBound(all);
  }

  function revokeOne(key: IssuedKey) {
    const denials = Promise.all(guards.map((guard) => guard.watch(key)));
    const answered = service(0)
      .client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'))
      .then(({ status }) => ({ status, at: Date.now() }));
    const revocation = (async () => {
      const { status, at } = await answered;
      // A database that is away: tried again once it is back
      if (status !== 200) {
        await until(async () => (await retry(key)) === 200, 'the revocation');
        return { answeredAt: Date.now(), denials: await denials };
      }
      return { answeredAt: at, denials: await denials };
    })();
    return { answered, revocation };
  }

  async function retry(key: IssuedKey): Promise<number> {
    const { status } = await service(0).client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    return status === 404 ? 200 : status;
  }

  function expectWithinBound(revocations: Revocation[]): void {
    expect(Math.max(...revocations.map(lastAccepted))).toBeLessThan(BOUND_MS);
  }
});

/** The milliseconds after the answer to the revocation until the last check began that a guard accepted. */
function lastAccepted({ answeredAt, denials }: Revocation): number {
  return Math.max(...denials.map(({ lastValidAt }) => lastValidAt - answeredAt));
}

/** How long it took until the last guard denied depends on the machine, and is printed; the bound does not. */
function print(what: string, revocations: Revocation[]): void {
  const times = revocations
    .map(({ answeredAt, denials }) => Math.max(...denials.map(({ deniedAt }) => deniedAt - answeredAt)))
    .toSorted((one, other) => one - other);
  const quantile = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
  const latest = Math.max(...revocations.map(lastAccepted));
  const [{ stats }] = (revocations.at(-1) as Revocation).denials as [Denial];
  process.stdout.write(
    `Guards, ${what}: ${times.length} revocations; until the last of ${GUARDS} guards denied p50 ${quantile(0.5)} ms, ` +
      `p99 ${quantile(0.99)} ms, most ${times.at(-1)} ms; last accepted ${latest} ms after the answer; one guard asked ` +
      `${stats.asked} times (${stats.failed} failed), decided ${JSON.stringify(stats.decided)}\n`,
  );
}

function addressOf({ client }: ServiceProcess): string {
  return new URL(client.url).host;
}
