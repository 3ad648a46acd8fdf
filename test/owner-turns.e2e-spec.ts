import pg from 'pg';
import { range } from './support/at-once.js';
import { outcomeOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { onServer } from './support/database.js';
import { issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { pairOf, serviceVariables, verify } from './support/verification.js';

// Rows are locked from a second connection, which would block on the embedded database
(onServer ? describe : describe.skip)('while the rows of one owner are locked', () => {
  let service: TestService;
  let holder: pg.Client;
  beforeAll(async () => {
    service = await startService(serviceVariables);
    holder = new pg.Client({ connectionString: service.database.variables.DATABASE_URL as string });
    await holder.connect();
  });
  afterAll(async () => {
    await holder.end();
    await service.stop();
  });

  const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
  const rename = (owner: string, key: IssuedKey) =>
    service.client.call('PATCH', pathOf(key), { headers: sessionOf(owner), body: { name: 'another' } });
  async function whileLocked(statement: string, id: string, act: () => Promise<void>): Promise<void> {
    await holder.query('BEGIN');
    try {
      await holder.query(statement, [id]);
      await act();
    } finally {
      await holder.query('COMMIT');
    }
  }
  const OWNER = 'SELECT FROM owners WHERE owner_id = $1 FOR UPDATE';
  const KEY = 'SELECT FROM api_keys WHERE id = $1 FOR UPDATE';
  const waitingFor = async (count: number) => {
    const { rows } = await holder.query(
      'SELECT DISTINCT pid FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))',
    );
    return rows.length === count;
  };

  it("its changes wait in the process and occupy one connection, while others' proceed", async () => {
    const [mine, others] = [await issueKey(service.client, 'ann'), await issueKey(service.client, 'bob')];
    let waiting: Promise<Answer>[] = [];
    await whileLocked(OWNER, 'ann', async () => {
      waiting = range(40).map((i) =>
        i % 2 ? rename('ann', mine) : service.client.post('/api/apiKeys', pairHeaders(mine), powerlessBody),
      );
      await until(() => waitingFor(1), 'the first of them to wait for its owner');
      for (const _ of range(5)) expect((await rename('bob', others)).status).toBe(200);
      expect(await waitingFor(1)).toBe(true);
    });
    // On a slow machine, the first may have timed out
    const outcomes = new Set((await Promise.all(waiting)).map(outcomeOf));
    expect([...outcomes].filter((outcome) => !['200', '503 unavailable'].includes(outcome))).toEqual([]);
    expect(outcomes).toContain('200');
  });

  it('leak reports wait too', async () => {
    const keys: IssuedKey[] = [];
    for (const _ of range(12)) keys.push(await issueKey(service.client, 'ann', powerlessBody));
    const others = await issueKey(service.client, 'bob');
    for (const key of keys) expect((await verify(service.client, key)).body.data.code).toBe('VALID');
    let reports: Promise<Answer>[] = [];
    await whileLocked(OWNER, 'ann', async () => {
      reports = keys.map((key) => service.client.post('/api/apiKeys/report-leak', {}, pairOf(key)));
      await until(() => waitingFor(1), 'the first of them to wait for its owner');
      expect((await rename('bob', others)).status).toBe(200);
      expect(await waitingFor(1)).toBe(true);
    });
    const reported = await Promise.all(reports);
    for (const [i, { status }] of reported.entries()) {
      expect([200, 503]).toContain(status);
      const { code } = (await verify(service.client, keys[i] as IssuedKey)).body.data;
      expect(code).toBe(status === 200 ? 'REVOKED' : 'VALID');
    }
  });

  it.each([
    ['the owner', OWNER],
    ['the key', KEY],
  ])('for too long, a change gets a 503 with Retry-After, with nothing done: %s', async (_, statement) => {
    const key = await issueKey(service.client, 'ann');
    await whileLocked(statement, statement === OWNER ? 'ann' : key.id, async () => {
      const answer = await rename('ann', key);
      expect([outcomeOf(answer), answer.headers['retry-after']]).toEqual(['503 unavailable', '1']);
    });
    const { name } = (await service.client.get(pathOf(key), sessionOf('ann'))).body.data;
    expect(name).not.toBe('another');
  });

  it('changes over the length of the queue are rejected immediately', async () => {
    const key = await issueKey(service.client, 'ann');
    let answers: Promise<Answer>[] = [];
    await whileLocked(OWNER, 'ann', async () => {
      const refused: Answer[] = [];
      answers = range(140).map(() =>
        rename('ann', key).then((answer) => (answer.status === 429 && refused.push(answer), answer)),
      );
      await until(() => refused.length > 0, 'some to be refused');
      expect(outcomeOf(refused[0] as Answer)).toBe('429 rate_limited');
    });
    const outcomes = new Set((await Promise.all(answers)).map(outcomeOf));
    // And 503, if any waited for the row too long
    outcomes.delete('503 unavailable');
    expect([...outcomes].toSorted()).toEqual(['200', '429 rate_limited']);
  });

  describe('a use of a key with max_uses', () => {
    const limited = (uses: number) => issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: uses } });
    const remaining = async (key: IssuedKey) => (await verify(service.client, key)).body.data?.remaining_uses;

    it('waits only for its own row, in order, while other keys are used', async () => {
      const [held, free] = [await limited(10), await limited(100)];
      expect([await remaining(held), await remaining(free)]).toEqual([9, 99]);
      let waiting: Promise<Answer>[] = [];
      await whileLocked(KEY, held.id, async () => {
        waiting = [1, 1, 3, 1, 2].map((cost) => verify(service.client, held, { cost }));
        for (const left of range(20)) expect(await remaining(free)).toBe(98 - left);
      });
      const left = (await Promise.all(waiting)).map(({ body }) => body.data.remaining_uses);
      expect(left).toEqual([8, 7, 4, 3, 1]);
      expect(await remaining(held)).toBe(0);
    });

    it('gets a 503 if its row stays locked, and is not counted', async () => {
      const held = await limited(10);
      expect(await remaining(held)).toBe(9);
      await whileLocked(KEY, held.id, async () => {
        const answer = await verify(service.client, held);
        expect([outcomeOf(answer), answer.headers['retry-after']]).toEqual(['503 unavailable', '1']);
      });
      expect(await remaining(held)).toBe(8);
    });

    it('is refused if its key was revoked while it waited', async () => {
      const held = await limited(10);
      expect(await remaining(held)).toBe(9);
      let answer: Promise<Answer> | undefined;
      await whileLocked(KEY, held.id, async () => {
        answer = verify(service.client, held);
        await remaining(await limited(2));
        await holder.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [held.id]);
      });
      expect((await answer)?.body.data).toEqual({ valid: false, code: 'REVOKED' });
    });

    it('is refused if its row is gone', async () => {
      const held = await limited(10);
      expect(await remaining(held)).toBe(9);
      await holder.query('DELETE FROM api_keys WHERE id = $1', [held.id]);
      expect((await verify(service.client, held)).body.data.code).toBe('USAGE_EXCEEDED');
    });
  });
});
