import { DataSource } from 'typeorm';
import { acceptProblem } from '../src/audit/accept-problem.js';
import { checkAudit } from '../src/audit/audit-check.js';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { run } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { accountService, sessionOf } from './support/sessions.js';

const EVENTS = 5;

let database: TestDatabase;
let service: TestService;
let dataSource: DataSource;
let owner: string;
let owners = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({}, database);
  dataSource = service.app.get(DataSource);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});
beforeEach(async () => {
  owner = `owner: ${owners++}`;
  await append(EVENTS);
});
afterEach(async () => {
  await dataSource.query('DROP TABLE IF EXISTS kept');
  for (const table of ['audit_events', 'api_keys', 'owners']) await dataSource.query(`DELETE FROM ${table}`);
});

async function append(count: number): Promise<void> {
  for (const _ of range(count)) await issueKey(service.client, owner, powerlessBody);
}

const tamper = (statement: string) => dataSource.query(statement.replaceAll('$owner', `'${owner}'`));
const rename = (seq: number, actor = 'operator') =>
  tamper(`UPDATE audit_events SET actor = '${actor}' WHERE owner_id = $owner AND seq = ${seq}`);
const remove = (...seqs: number[]) =>
  tamper(`DELETE FROM audit_events WHERE owner_id = $owner AND seq IN (${seqs.join()})`);
const copy = (seq: number, from: number) =>
  tamper(`INSERT INTO audit_events
    SELECT owner_id, ${seq}, at, actor, 'key.seen', api_key_id, refusal, ip, request_id, changes, hash
    FROM audit_events WHERE owner_id = $owner AND seq = ${from}`);

const accept = (seq: number, reason = 'written in another case') =>
  acceptProblem(dataSource, { ownerId: owner, seq: String(seq), reason, at: new Date() });

/** The problems that are not accepted, and those that are, as `<problem> <event>`. */
async function verdict(): Promise<{ offences: string[]; accepted: string[] }> {
  const { problems: offences, accepted } = await checkAudit(dataSource);
  const worded = ({ seq, through, problem }: (typeof offences)[number]) =>
    `${problem} ${seq}${through === undefined ? '' : `-${through}`}`;
  return { offences: offences.map(worded), accepted: accepted.map(worded) };
}

/** Each way to break a trail, the problems found, and the acceptances that resolve them. */
const WAYS: [string, () => Promise<unknown>, string[]][] = [
  ['the first event altered', () => rename(1), ['altered 1']],
  ['an event altered', () => rename(3), ['altered 3']],
  ['the last event altered', () => rename(5), ['altered 5']],
  ['two events altered', () => Promise.all([rename(2), rename(3)]), ['altered 2', 'altered 3']],
  [
    "an event's hash altered",
    () => tamper(`UPDATE audit_events SET hash = sha256('x') WHERE owner_id = $owner AND seq = 3`),
    ['altered 3'],
  ],
  [
    "the last event's hash altered",
    () => tamper(`UPDATE audit_events SET hash = sha256('x') WHERE owner_id = $owner AND seq = 5`),
    ['altered 5'],
  ],
  ['the first events missing', () => remove(1, 2), ['missing 1-2']],
  ['events missing', () => remove(2, 3), ['missing 2-3']],
  ['the last events missing', () => remove(4, 5), ['missing 4-5']],
  ['all events missing', () => remove(1, 2, 3, 4, 5), ['missing 1-5']],
  ['an event inserted before the first', () => copy(0, 1), ['inserted 0']],
  ['an event inserted behind the last', () => copy(6, 5), ['inserted 6', 'altered 6']],
  [
    'the head set back',
    () =>
      tamper(`UPDATE owners SET (audit_seq, audit_hash) = (SELECT seq, hash FROM audit_events AS e
      WHERE e.owner_id = $owner AND seq = 3) WHERE owner_id = $owner`),
    ['inserted 4-5'],
  ],
  ["the head's hash altered", () => tamper(`UPDATE owners SET audit_hash = sha256('x')`), ['altered 5']],
  ['the head gone', () => tamper('DELETE FROM owners WHERE owner_id = $owner'), ['headless 0']],
  [
    'the head and the events gone',
    async () => {
      await remove(1, 2, 3, 4, 5);
      await tamper('DELETE FROM owners WHERE owner_id = $owner');
    },
    ['headless 0'],
  ],
];

describe.each(WAYS)('%s', (_, mutate, offences) => {
  it('is accepted by an event; the trail then passes, including later events', async () => {
    await mutate();
    const seen: string[] = [];
    for (let left = await verdict(); left.offences[0] !== undefined; left = await verdict()) {
      expect(seen.length).toBeLessThan(offences.length);
      seen.push(left.offences[0]);
      await accept(Number(/ (-?\d+)/.exec(left.offences[0])?.[1]));
    }
    expect(seen).toEqual(offences);
    await append(2);
    expect(await verdict()).toEqual({ offences: [], accepted: offences });
    const { total } = (await service.client.get('/api/apiKeys/list', sessionOf(owner))).body.data;
    expect(total).toBe(EVENTS + 2);
  });

  it('does not hide later tampering', async () => {
    await mutate();
    for (const offence of offences) await accept(Number(/ (-?\d+)/.exec(offence)?.[1]));
    await append(3);
    const rows = (await tamper('SELECT seq::int FROM audit_events WHERE owner_id = $owner ORDER BY seq')) as {
      seq: number;
    }[];
    for (const { seq } of rows) {
      await tamper(`CREATE TABLE kept AS SELECT * FROM audit_events WHERE owner_id = $owner AND seq = ${seq}`);
      // Events inserted before the first may be removed again
      const removals = seq < 1 ? [] : [() => remove(seq)];
      for (const alter of [() => rename(seq, 'anonymous'), ...removals]) {
        await alter();
        expect([seq, (await verdict()).offences]).not.toEqual([seq, []]);
        await remove(seq);
        await tamper('INSERT INTO audit_events SELECT * FROM kept');
        expect([seq, (await verdict()).offences]).toEqual([seq, []]);
      }
      await tamper('DROP TABLE kept');
    }
  });
});

it('covers an event only as it was when accepted: altered again, it is a problem again', async () => {
  await rename(3);
  await accept(3);
  await rename(3, 'anonymous');
  expect(await verdict()).toEqual({ offences: ['altered 3'], accepted: [] });
  await accept(3);
  expect(await verdict()).toEqual({ offences: [], accepted: ['altered 3'] });
});

it('records in the owner’s trail what was accepted, by whom and why', async () => {
  await rename(3);
  await accept(3, 'restored from a backup');
  const { body } = await service.client.get('/api/apiKeys/events?action=audit.accepted', sessionOf(owner));
  expect(body.data.events).toEqual([
    expect.objectContaining({
      seq: 6,
      actor: 'operator',
      action: 'audit.accepted',
      changes: expect.objectContaining({ seq: '3', problem: 'altered', reason: 'restored from a backup' }),
    }),
  ]);
});

it('refuses to accept what is correct, already accepted, or another owner’s', async () => {
  await rename(3);
  await accept(3);
  for (const seq of [3, 2, 0, 99]) await expect(accept(seq)).rejects.toThrow('Nothing is wrong with event');
  await rename(4);
  await expect(acceptProblem(dataSource, { ownerId: 'nobody', seq: '4', reason: 'x', at: new Date() })).rejects.toThrow(
    'Nothing is wrong with event',
  );
});

it('requires a broken head to be accepted first, since nothing can be appended before', async () => {
  await rename(3);
  await copy(6, 5);
  await expect(accept(3)).rejects.toThrow('Accept event 6 first');
});

it('ignores a forged acceptance inserted into the trail', async () => {
  await rename(3);
  await accept(3);
  const [{ changes }] = (await tamper('SELECT changes FROM audit_events WHERE owner_id = $owner AND seq = 6')) as [
    { changes: object },
  ];
  await tamper('DELETE FROM audit_events WHERE owner_id = $owner AND seq = 6');
  await tamper(`UPDATE audit_events SET action = 'audit.accepted', changes = '${JSON.stringify(changes)}'
    WHERE owner_id = $owner AND seq = 5`);
  expect((await verdict()).offences).toEqual(['altered 3', 'altered 5', 'missing 6']);
});

describe('npm run keys -- verify-audit', () => {
  const verifyAudit = (...args: string[]) =>
    run(['dist/cli.js', 'verify-audit', ...args], { ...database.variables, JWT_PUBLIC_KEY: accountService.publicKey });

  it('accepts an event by its owner and number, as the check reports it', async () => {
    await rename(2);
    const bad = await verifyAudit();
    expect(bad.code).toBe(1);
    const [, name = '', seq = ''] = /^offences +(.*), event (\d+): altered$/m.exec(bad.stdout) ?? [];
    const accepted = await verifyAudit('--owner', name, '--accept', seq, '--reason', 'a restored backup', '--json');
    expect([accepted.code, JSON.parse(accepted.stdout)]).toEqual([
      0,
      { accepted: { owner_id: owner, seq: 2, problem: 'altered' }, event: 6 },
    ]);
    const good = await verifyAudit('--json');
    expect([good.code, JSON.parse(good.stdout)]).toEqual([
      0,
      {
        owners: 1,
        events: 6,
        offences: [],
        accepted: [{ owner_id: owner, seq: 2, problem: 'altered', event: 6, reason: 'a restored backup' }],
      },
    ]);
    const again = await verifyAudit('--owner', name, '--accept', seq, '--reason', 'again');
    expect([again.code, again.stderr]).toEqual([64, expect.stringContaining('Nothing is wrong with event 2')]);
  });

  it.each([
    [['--accept', '2', '--reason', 'x'], '--owner'],
    [['--owner', 'ann', '--reason', 'x'], '--accept'],
    [['--owner', 'ann', '--accept', 'two', '--reason', 'x'], '--accept'],
    [['--owner', 'ann', '--accept', '2'], '--reason'],
    [['--owner', 'ann', '--accept', '2', '--reason', ' \n'], '--reason'],
    [['--owner', 'ann'], '--accept'],
  ])('reports the missing option: %j', async (args, option) => {
    const { code, stderr } = await verifyAudit(...args);
    expect([code, stderr]).toEqual([64, expect.stringContaining(option)]);
  });
});
