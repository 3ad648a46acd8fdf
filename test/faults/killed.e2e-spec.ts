import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { runConcurrently, range } from '../support/at-once.js';
import type { Answer, Client } from '../support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from '../support/process.js';
import { withRetry } from '../support/retry.js';
import { sessionOf } from '../support/sessions.js';
import { verify } from '../support/verification.js';

const ISSUED = 200;
const ROTATED = 100;
const MAX_USES = 400;
const ASKED = 1_200;
const CALLERS = 8;
/** It is killed once this many of each have been answered. */
const KILL_AT = { issued: 40, rotated: 20, granted: 100 };

// The embedded database allows only one process
(onServer ? describe : describe.skip)('of a process that is killed while it issues, rotates and counts', () => {
  let database: TestDatabase;
  let connection: pg.Client;
  let doomed: ServiceProcess;
  let other: ServiceProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    connection = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await connection.connect();
    const variables = {
      ...sharedVariables,
      ...database.variables,
    };
    [doomed, other] = await Promise.all([startProcess(variables), startProcess(variables)]);
  });
  afterAll(async () => {
    await Promise.all([doomed, other].map((service) => service?.stop('SIGKILL')));
    await connection.end();
    await database.drop();
  });

  it('the other finds everything acknowledged, and nothing is done twice', async () => {
    const limited = await issueKey(other.client, 'ann', { ...powerlessBody, limits: { max_uses: MAX_USES } });
    const keys: IssuedKey[] = [];
    await runConcurrently(
      CALLERS,
      range(ROTATED),
      async () => void keys.push(await issueKey(other.client, 'ann', powerlessBody)),
    );
    const words = range(ISSUED).map(() => randomUUID());
    const created = new Map<string, Answer>();
    const rotated = new Map<string, Answer>();
    const used = { VALID: 0, USAGE_EXCEEDED: 0 };
    const refused = { changes: 0, uses: 0 };
    let killed: Promise<unknown> | undefined;
    const look = () => {
      const isTime = created.size >= KILL_AT.issued && rotated.size >= KILL_AT.rotated && used.VALID >= KILL_AT.granted;
      if (isTime) killed ??= doomed.stop('SIGKILL');
    };
    /** The answer to a call, recorded only if the doomed process answered 200. */
    const noted = async (call: () => Promise<Answer>, note: (answer: Answer) => void) => {
      const answer = await withRetry(call, () => refused.changes++).catch(() => undefined);
      if (!answer) return;
      expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
      note(answer);
      look();
    };
    let unanswered = 0;
    await Promise.all([
      runConcurrently(CALLERS, words, (word) =>
        noted(
          () => create(doomed.client, word),
          (answer) => created.set(word, answer),
        ),
      ),
      runConcurrently(CALLERS, keys, (key) =>
        noted(
          () => rotate(doomed.client, key),
          (answer) => rotated.set(key.id, answer),
        ),
      ),
      runConcurrently(CALLERS, range(ASKED), async (i) => {
        const ask = () => verify((i % 2 ? doomed : other).client, limited);
        const answer = await withRetry(ask, () => refused.uses++).catch(() => undefined);
        if (answer) used[answer.body.data.code as keyof typeof used]++;
        else unanswered++;
        look();
      }),
    ]);
    expect(await killed).toBe('SIGKILL');
    // Its unfinished claims expire after half a minute: expired here, instead of waiting
    await connection.query('UPDATE idempotent_answers SET expires_at = now() WHERE answer IS NULL');

    const { made, total } = await expectCreatedOnce(words, created);
    const replaced = await expectRotatedOnce(keys, rotated);

    const { uses } = (await other.client.get(`/api/apiKeys/${limited.id}`, sessionOf('ann'))).body.data;
    process.stdout.write(
      `Killed: ${ISSUED} keys asked for, ${created.size} answered, ${made} made without an answer, 0 lost, ` +
        `${total} in the end; ${ROTATED} rotations asked for, ${rotated.size} answered, ${replaced} made without an ` +
        `answer, 0 lost; ${ASKED} uses asked for, ${JSON.stringify(used)}, ${unanswered} unanswered, ` +
        `${uses} of ${MAX_USES} counted; refused for the moment: ${JSON.stringify(refused)}\n`,
    );
    expect(used.VALID).toBeLessThanOrEqual(uses);
    expect(uses).toBeLessThanOrEqual(MAX_USES);
    // A use may be counted even if its commit came too late to be answered
    expect(uses - used.VALID).toBeLessThanOrEqual(unanswered + refused.uses);
  });

  /** Repeats every creation by the other process. @returns how many keys were made without an answer, and all */
  async function expectCreatedOnce(words: string[], created: Map<string, Answer>) {
    let made = 0;
    for (const word of words) {
      const before = created.get(word);
      const again = await create(other.client, word);
      expect(again.status).toBe(200);
      if (before) expect(again.text).toBe(before.text);
      else if (isOlder(again)) made++;
      expect(await works(other.client, issued(again))).toBe(true);
    }
    const { total } = (await other.client.get('/api/apiKeys/list', sessionOf('crowd'))).body.data;
    expect(total).toBe(ISSUED);
    return { made, total: total as number };
  }

  /** Repeats every rotation by the other process. @returns how many were made without an answer */
  async function expectRotatedOnce(keys: IssuedKey[], rotated: Map<string, Answer>): Promise<number> {
    let replaced = 0;
    for (const key of keys) {
      const before = rotated.get(key.id);
      const oldWorks = await works(other.client, key);
      // Either it is unchanged, or it was rotated once
      expect(await rotationsOf(key)).toBe(oldWorks ? 0 : 1);
      if (before) expect([oldWorks, await works(other.client, issued(before))]).toEqual([false, true]);
      else if (!oldWorks) replaced++;
      const again = await rotate(other.client, key);
      if (before) expect(again.text).toBe(before.text);
      expect([await works(other.client, key), await works(other.client, issued(again))]).toEqual([false, true]);
      expect(await rotationsOf(key)).toBe(1);
    }
    return replaced;
  }

  const keyed = (owner: string, word: string) => ({ ...sessionOf(owner), 'idempotency-key': word });
  const create = (client: Client, word: string) =>
    client.post('/api/apiKeys', keyed('crowd', word), { ...powerlessBody, name: word });
  const rotate = (client: Client, { id }: IssuedKey) =>
    client.post(`/api/apiKeys/${id}/rotate`, keyed('ann', `rotates-${id}`), {});
  const works = async (client: Client, key: IssuedKey) =>
    (await client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status === 200;

  /** Whether it was issued before this call: the other process answered without issuing it. */
  function isOlder(answer: Answer): boolean {
    return Date.now() - Date.parse(answer.body.data.created_at) > 1_000;
  }

  async function rotationsOf({ id }: IssuedKey): Promise<number> {
    const { rows } = await connection.query(
      "SELECT FROM audit_events WHERE api_key_id = $1 AND action = 'key.rotated'",
      [id],
    );
    return rows.length;
  }
});
