import { runConcurrently, range } from '../support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { PostgresServer } from '../support/postgres-server.js';
import { type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { withRetry } from '../support/retry.js';
import { sessionOf } from '../support/sessions.js';
import { verify } from '../support/verification.js';

const MAX_USES = 1_000;
const ASKED = 5_000;
const CALLERS = 64;
/** Something is killed once this many uses have been granted. */
const KILL_AT = 300;
/** How many more are requested once the uses are exhausted. */
const ASKED_IN_VAIN = 1_000;

type Code = 'VALID' | 'USAGE_EXCEEDED' | 'unanswered';
interface Outcome {
  code: Code;
  left: number;
}

/** The number of requests by outcome, and of retries. */
type Codes = Record<Code | 'unavailable', number>;

const enough = (_: Codes, asked: number): boolean => asked < ASKED;

// The embedded database allows only one process
(onServer ? describe : describe.skip)('a key with max_uses, over three processes', () => {
  let services: ServiceProcess[] = [];
  const start = (databaseUrl: string) =>
    startProcess({
      ...sharedVariables,
      DATABASE_URL: databaseUrl,
    });
  const startThree = async (databaseUrl: string) => {
    services = await Promise.all(range(3).map(() => start(databaseUrl)));
  };
  const stopAll = () => Promise.all(services.map((service) => service.stop('SIGKILL')));

  const issue = () => issueKey(services[0]!.client, 'ann', { ...powerlessBody, limits: { max_uses: MAX_USES } });
  const read = async ({ id }: IssuedKey) =>
    (await services[0]!.client.get(`/api/apiKeys/${id}`, sessionOf('ann'))).body.data;

  /** Sends the requests to all three in turn, and counts their outcomes. */
  async function ask(
    key: IssuedKey,
    goesOn: (codes: Codes, asked: number) => boolean,
    onGrant?: (granted: number) => void,
  ) {
    const codes: Codes = { VALID: 0, USAGE_EXCEEDED: 0, unavailable: 0, unanswered: 0 };
    const remaining: number[] = [];
    let asked = 0;
    await runConcurrently(CALLERS, range(CALLERS), async () => {
      while (goesOn(codes, asked)) {
        const { code, left } = await outcomeOf(services[asked++ % 3]!, key, () => codes.unavailable++);
        codes[code]++;
        if (code !== 'VALID') continue;
        remaining.push(left);
        onGrant?.(codes.VALID);
      }
    });
    // Each use is granted once: no two callers got the same remaining count
    expect(new Set(remaining).size).toBe(codes.VALID);
    return codes;
  }

  describe('on a database that stays up', () => {
    let database: TestDatabase;
    beforeAll(async () => {
      database = await createTestDatabase();
      await startThree(database.variables.DATABASE_URL as string);
    });
    afterAll(async () => {
      await stopAll();
      await database.drop();
    });

    it(`grants exactly ${MAX_USES} of ${ASKED} to ${CALLERS} concurrent callers`, async () => {
      const key = await issue();
      const codes = await ask(key, enough);
      await print('undisturbed', codes, key);
      expect(codes.VALID).toBeLessThanOrEqual(MAX_USES);
      // A use may be counted even if its commit came too late to be answered
      expect(codes.VALID).toBeGreaterThanOrEqual(MAX_USES - codes.unavailable);
      expect([codes.VALID + codes.USAGE_EXCEEDED, codes.unanswered]).toEqual([ASKED, 0]);
      expect(await read(key)).toMatchObject({ uses: MAX_USES, status: 'exhausted' });
    });

    it('grants each of many keys exactly its max_uses under concurrency', async () => {
      const keys: IssuedKey[] = [];
      const body = { ...powerlessBody, limits: { max_uses: 5 } };
      await runConcurrently(
        CALLERS,
        range(200),
        async () => void keys.push(await issueKey(services[0]!.client, 'ann', body)),
      );
      const granted = new Map(keys.map(({ id }) => [id, 0]));
      let unavailable = 0;
      // Each process sees the keys in another order
      await runConcurrently(CALLERS, range(3_000), async (i) => {
        const key = keys[(i * 67 + (i % 3) * 31) % keys.length] as IssuedKey;
        const { code } = await outcomeOf(services[i % 3]!, key, () => unavailable++);
        expect(['VALID', 'USAGE_EXCEEDED']).toContain(code);
        if (code === 'VALID') granted.set(key.id, (granted.get(key.id) ?? 0) + 1);
      });
      const all = [...granted.values()];
      const sum = all.reduce((one, other) => one + other, 0);
      process.stdout.write(
        `${keys.length} keys of max_uses 5: 3000 asked, ${sum} granted, ${3_000 - sum} refused, ` +
          `${unavailable} times unavailable for the moment\n`,
      );
      expect(Math.max(...all)).toBeLessThanOrEqual(5);
      expect(sum).toBeGreaterThanOrEqual(5 * keys.length - unavailable);
    });

    it('never grants more when one of them is killed, which knows the uses after its restart', async () => {
      const key = await issue();
      let killed: Promise<unknown> | undefined;
      const codes = await ask(key, enough, (granted) => {
        if (granted >= KILL_AT) killed ??= services[2]!.stop('SIGKILL');
      });
      expect(await killed).toBe('SIGKILL');
      await print('one process killed', codes, key);
      // A use granted without an answer is spent
      expect(codes.VALID).toBeLessThanOrEqual(MAX_USES);
      expect(codes.VALID).toBeGreaterThanOrEqual(MAX_USES - CALLERS - codes.unavailable);
      expect(codes.VALID + codes.USAGE_EXCEEDED + codes.unanswered).toBe(ASKED);
      expect(codes.unanswered).toBeGreaterThan(0);
      expect(await read(key)).toMatchObject({ uses: MAX_USES });
      services[2] = await start(database.variables.DATABASE_URL as string);
      expect(await outcomeOf(services[2], key, () => undefined)).toMatchObject({ code: 'USAGE_EXCEEDED' });
    });
  });

  describe('on a database that is killed', () => {
    let postgres: PostgresServer;
    beforeAll(async () => {
      postgres = await PostgresServer.start();
      await startThree(postgres.url);
    });
    afterAll(async () => {
      await stopAll();
      await postgres?.stop();
    });

    it('never grants more, and continues after its return', async () => {
      const key = await issue();
      let restarted: Promise<void> | undefined;
      const restart = async () => {
        await postgres.kill();
        await postgres.startAgain();
      };
      const untilSpent = ({ USAGE_EXCEEDED: inVain }: Codes) => inVain < ASKED_IN_VAIN;
      const codes = await ask(key, untilSpent, (granted) => {
        if (granted >= KILL_AT) restarted ??= restart();
      });
      await restarted;
      await print('PostgreSQL killed and started again', codes, key);
      expect(codes.VALID).toBeLessThanOrEqual(MAX_USES);
      expect(codes.VALID).toBeGreaterThanOrEqual(MAX_USES - CALLERS);
      expect(codes.unavailable).toBeGreaterThan(0);
      expect(codes.unanswered).toBe(0);
      expect(await read(key)).toMatchObject({ uses: MAX_USES, status: 'exhausted' });
    });
  });

  async function print(name: string, codes: Codes, key: IssuedKey): Promise<void> {
    process.stdout.write(`max_uses ${MAX_USES}, ${name}: ${JSON.stringify(codes)}, uses ${(await read(key)).uses}\n`);
  }
});

async function outcomeOf({ client }: ServiceProcess, key: IssuedKey, onUnavailable: () => void): Promise<Outcome> {
  try {
    const { status, body } = await withRetry(() => verify(client, key), onUnavailable);
    expect(status).toBe(200);
    return { code: body.data.code, left: body.data.remaining_uses };
  } catch (error) {
    if (!('code' in (error as object))) throw error;
    return { code: 'unanswered', left: NaN };
  }
}
