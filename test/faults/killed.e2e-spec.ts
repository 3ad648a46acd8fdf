import { range } from '../support/at-once.js';
import type { Answer } from '../support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issueKey, type IssuedKey, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess } from '../support/process.js';
import { accountService, sessionOf } from '../support/sessions.js';
import { pairOf, serviceVariables, verify } from '../support/verification.js';

const CALLERS = 8;
/** The process is killed when so many keys have been issued, which takes it less than a second. */
const KILL_AT = 150;
const MOST_USES = 100_000;

/** What was asked under an `Idempotency-Key`, and what was answered before the process was gone. */
interface Asked {
  path: string;
  body: object;
  idempotencyKey: string;
  answer?: IssuedKey;
}

// The embedded database has one process alone
(onServer ? describe : describe.skip)('a process that is killed while it issues, rotates and counts', () => {
  let database: TestDatabase;
  let doomed: ServiceProcess;
  let other: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    const variables = {
      DATABASE_URL: database.variables.DATABASE_URL as string,
      JWT_PUBLIC_KEY: accountService.publicKey,
      CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
      ...serviceVariables,
    };
    [doomed, other] = await Promise.all([startProcess(variables), startProcess(variables)]);
  });
  afterAll(async () => {
    await Promise.all([doomed, other].map((service) => service?.stop('SIGKILL')));
    await database.drop();
  });

  const ask = async (service: ServiceProcess, { path, body, idempotencyKey }: Asked): Promise<Answer> =>
    service.client.post(path, { ...sessionOf('ann'), 'idempotency-key': idempotencyKey }, body);
  const codeOf = async (service: ServiceProcess, key: Pick<IssuedKey, 'api_key' | 'secret_key'>, need: object = {}) =>
    (await verify(service.client, { id: '', ...pairOf(key) }, need)).body.data.code as string;

  it('loses nothing that it acknowledged, and does nothing twice', async () => {
    const rotating = await Promise.all(range(CALLERS).map(() => issueKey(other.client, 'ann', powerlessBody)));
    const body = { ...powerlessBody, limits: { max_uses: MOST_USES } };
    const counted = await issueKey(other.client, 'ann', body);
    const [issues, rotations]: [Asked[], Asked[][]] = [[], range(CALLERS).map(() => [])];
    let valid = 0;
    const killed: Promise<unknown>[] = [];

    /** Until the process is gone. */
    const go = async (act: () => Promise<void>) => {
      try {
        for (;;) await act();
      } catch (error) {
        if (!('code' in (error as Error))) throw error;
      }
    };
    const issue = () =>
      go(async () => {
        const idempotencyKey = `issue ${issues.length} of those to be killed`;
        const asked: Asked = { path: '/api/apiKeys', body: powerlessBody, idempotencyKey };
        issues.push(asked);
        asked.answer = (await ask(doomed, asked)).body.data;
        if (issues.filter(({ answer }) => answer).length >= KILL_AT) killed.push(doomed.end('SIGKILL'));
      });
    const rotate = (caller: number) =>
      go(async () => {
        const own = rotations[caller] as Asked[];
        const path = `/api/apiKeys/${rotating[caller]?.id}/rotate`;
        const asked: Asked = { path, body: {}, idempotencyKey: `rotation ${caller}, number ${own.length}` };
        own.push(asked);
        asked.answer = (await ask(doomed, asked)).body.data;
      });
    const count = () => go(async () => void ((await codeOf(doomed, counted)) === 'VALID' && valid++));
    await Promise.all(range(CALLERS).flatMap((caller) => [issue(), rotate(caller), count()]));
    expect(await killed[0]).toBe('SIGKILL');

    // Asked again elsewhere: the same answer, or else an unfinished claim, under which nothing was made
    const [known, unfinished]: [IssuedKey[], Asked[]] = [[], []];
    for (const asked of issues) {
      const { status, body: told } = await ask(other, asked);
      if (asked.answer) expect([status, told.data]).toEqual([200, asked.answer]);
      if (status === 200) known.push(told.data);
      else unfinished.push(asked);
      expect([200, 409]).toContain(status);
    }
    for (const key of known) expect(await codeOf(other, key)).toBe('VALID');
    const { total } = (await other.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data;
    expect(total).toBe(known.length + rotating.length + 1);

    let inDoubt = 0;
    for (const [caller, own] of rotations.entries()) {
      const last = own.at(-1) as Asked;
      const before = own.at(-2)?.answer ?? rotating[caller];
      const { status, body: told } = await ask(other, last);
      if (!last.answer) inDoubt++;
      // Rotated or not: exactly one secret works
      expect(await codeOf(other, status === 200 ? told.data : before)).toBe('VALID');
      if (status === 200) expect(await codeOf(other, before as IssuedKey)).toBe('INVALID_CREDENTIALS');
    }
    const { uses } = (await other.client.get(`/api/apiKeys/${counted.id}`, sessionOf('ann'))).body.data;
    process.stdout.write(
      `Killed: ${issues.length} keys asked for, ${issues.filter(({ answer }) => answer).length} answered, ` +
        `${known.length} there, ${unfinished.length} not made, 0 lost; ${rotations.flat().length} rotations, ` +
        `${inDoubt} not answered; ${valid} uses granted, ${uses} counted\n`,
    );
    expect(uses).toBeGreaterThanOrEqual(valid);
    // Whoever was not told may have been granted a use all the same
    expect(uses).toBeLessThanOrEqual(valid + CALLERS);
  });
});
