import { setTimeout as sleep } from 'node:timers/promises';
import { runConcurrently, range } from '../support/at-once.js';
import { onServer } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { metricOf } from '../support/metrics.js';
import { PostgresServer } from '../support/postgres-server.js';
import { type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { sessionOf } from '../support/sessions.js';
import { until } from '../support/until.js';
import { verify } from '../support/verification.js';

const BOUND_MS = 1_000;
const FROZEN_MS = 10_000;
const REVOKED = 120;
const KEPT = 20;
/** This many revocations are answered more than the bound before the database freezes, while others are under way. */
const REVOKED_EARLY = 60;
const FREEZE_AFTER = 80;
/** More than can wait for reads of their own. */
const CROWD = 900;

/** When a key's revocation was answered, and when the last call began that found it valid. */
interface Seen {
  key: IssuedKey;
  revokedAt?: number;
  lastValidAt: Map<ServiceProcess, number>;
}

// The embedded database is in the process and freezes with it
(onServer ? describe : describe.skip)('when PostgreSQL is frozen for ten seconds', () => {
  let postgres: PostgresServer;
  let revoking: ServiceProcess;
  let trusting: ServiceProcess;
  let failingClosed: ServiceProcess;
  beforeAll(async () => {
    postgres = await PostgresServer.start();
    const variables = {
      ...sharedVariables,
      DATABASE_URL: postgres.url,
    };
    [revoking, trusting, failingClosed] = await Promise.all([
      startProcess(variables),
      startProcess(variables),
      startProcess({ ...variables, STALE_IF_ERROR_SECONDS: '0' }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([revoking, trusting, failingClosed].map((service) => service?.stop('SIGKILL')));
    await postgres?.stop();
  });

  it('denies revoked keys within the bound, and serves the rest as promised', async () => {
    const watched = [trusting, failingClosed];
    const all: Seen[] = [];
    await runConcurrently(10, range(REVOKED + KEPT), async () => void all.push(await seen()));
    const [doomed, kept] = [all.slice(0, REVOKED), all.slice(REVOKED)];
    const unknown = (await seen()).key;
    for (const { key } of [...doomed, ...kept])
      for (const service of watched) expect(await codeOf(service, key)).toBe('VALID');

    const watching = new AbortController();
    const keptCodes = new Map(watched.map((service) => [service, new Map<string, number>()]));
    const watchers = watched.flatMap((service) => [doomed, kept].map((keys) => watch(service, keys, watching.signal)));
    let answered = 0;
    const revoke = async (one: Seen) => {
      const { status } = await revoking.client.delete(`/api/apiKeys/${one.key.id}`, sessionOf('ann'));
      expect([200, 503]).toContain(status);
      if (status !== 200) return;
      one.revokedAt = performance.now();
      answered++;
    };
    await runConcurrently(6, doomed.slice(0, REVOKED_EARLY), revoke);
    await sleep(BOUND_MS);
    const revoked = runConcurrently(6, doomed.slice(REVOKED_EARLY), revoke);
    await until(() => answered >= FREEZE_AFTER, 'revocations');
    postgres.freeze();
    const frozenAt = performance.now();
    const isStale = async () => (await metricOf(trusting.client, 'w3ipfs_keys_change_feed_age_seconds')) > 0.9;
    await until(isStale, 'changes to have been missed');
    // The database counts as unavailable only once the first of these reads times out
    const crowd = await Promise.all(range(CROWD).map((i) => codeOf(trusting, kept[i % KEPT]!.key)));
    expect(new Set(crowd)).toEqual(new Set(['VALID']));
    const unknownStatuses = new Set<string>();
    while (performance.now() - frozenAt < FROZEN_MS) {
      unknownStatuses.add(await codeOf(trusting, unknown));
      await sleep(50);
    }
    postgres.thaw();
    await revoked;
    const isReady = async ({ client }: ServiceProcess) => (await client.get('/health/ready')).status === 200;
    for (const service of [revoking, ...watched]) await until(() => isReady(service), 'the service to be ready');
    const resumedAt = performance.now();
    const finallyRevoked: Seen[] = [];
    for (const one of doomed) if ((await codeOf(revoking, one.key)) === 'REVOKED') finallyRevoked.push(one);
    for (const service of watched) {
      await until(async () => {
        for (const { key } of finallyRevoked) if ((await codeOf(service, key)) !== 'REVOKED') return false;
        return true;
      }, 'every revocation to be known');
    }
    watching.abort();
    await Promise.all(watchers);
    // Uses counted in the meantime are written
    for (const service of watched) expect(await service.stop('SIGTERM')).toBe(0);
    let uses = 0;
    for (const { key } of kept)
      uses += (await revoking.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data.uses;
    const codes = [...keptCodes.values()];
    const granted = codes.reduce((sum, one) => sum + (one.get('VALID') ?? 0), watched.length * KEPT + CROWD);

    const acknowledged = doomed.filter(({ revokedAt }) => revokedAt !== undefined);
    const late = (service: ServiceProcess, { lastValidAt }: Seen, since: number) =>
      (lastValidAt.get(service) ?? 0) - since;
    const closed = acknowledged.map((one) => late(failingClosed, one, one.revokedAt as number));
    const early = acknowledged.filter(({ revokedAt }) => (revokedAt as number) < frozenAt - BOUND_MS);
    const stale = finallyRevoked.map((one) => late(trusting, one, resumedAt));
    process.stdout.write(
      `PostgreSQL frozen for 10 s: ${acknowledged.length} of ${REVOKED} revocations answered, ` +
        `${finallyRevoked.length} in force; last VALID after the answer ${Math.max(...closed).toFixed(0)} ms ` +
        `(failing closed), after the thaw ${Math.max(...stale).toFixed(0)} ms (trusting for 30 s); ` +
        `codes of the keys that stay: ${JSON.stringify(codes.map((one) => Object.fromEntries(one)))}, ` +
        `${granted} of them VALID, ${uses} uses counted\n`,
    );
    expect(acknowledged.length).toBeGreaterThanOrEqual(FREEZE_AFTER);
    expect(early.length).toBeGreaterThanOrEqual(REVOKED_EARLY);
    expect(finallyRevoked).toEqual(expect.arrayContaining(acknowledged));
    expect(uses).toBeLessThanOrEqual(granted);
    expect(uses).toBeGreaterThan(0);
    expect(Math.max(...closed)).toBeLessThan(BOUND_MS);
    for (const one of early) expect(late(trusting, one, one.revokedAt as number)).toBeLessThan(BOUND_MS);
    expect(Math.max(...stale)).toBeLessThan(BOUND_MS);
    expect([...(keptCodes.get(trusting) ?? [])].map(([code]) => code)).toEqual(['VALID']);
    expect(new Set(keptCodes.get(failingClosed)?.keys())).toEqual(new Set(['VALID', '503']));
    expect([...unknownStatuses].filter((code) => code !== 'VALID')).toEqual(['503']);

    /** Verifies the keys repeatedly, from several callers. */
    async function watch(service: ServiceProcess, keys: Seen[], signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await runConcurrently(4, keys, async (one) => {
          const began = performance.now();
          const code = await codeOf(service, one.key);
          if (code === 'VALID') one.lastValidAt.set(service, Math.max(began, one.lastValidAt.get(service) ?? 0));
          if (keys === kept) count(keptCodes.get(service), code);
        });
      }
    }
  });

  function count(codes: Map<string, number> | undefined, code: string): void {
    codes?.set(code, (codes.get(code) ?? 0) + 1);
  }

  async function seen(): Promise<Seen> {
    return { key: await issueKey(revoking.client, 'ann', powerlessBody), lastValidAt: new Map() };
  }
});

/** The verdict's code, or the status if there is no verdict. */
async function codeOf({ client }: ServiceProcess, key: IssuedKey): Promise<string> {
  const { status, body } = await verify(client, key);
  return status === 200 ? body.data.code : String(status);
}
