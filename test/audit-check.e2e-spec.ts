import { DataSource } from 'typeorm';
import { checkAudit } from '../src/audit/audit-check.js';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { run } from './support/process.js';
import { startService, type TestService } from './support/service.js';
import { accountService } from './support/sessions.js';

const EVENTS = 5;
const BYSTANDER = 'bystander';

let database: TestDatabase;
let service: TestService;
let dataSource: DataSource;
let owner: string;
let owners = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({}, database);
  dataSource = service.app.get(DataSource);
  await trailOf(BYSTANDER);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});
beforeEach(async () => {
  owner = `owner ${owners++}`;
  await trailOf(owner);
  expect((await checkAudit(dataSource)).problems).toEqual([]);
});
afterEach(async () => {
  for (const table of ['audit_events', 'api_keys', 'owners']) {
    await dataSource.query(`DELETE FROM ${table} WHERE owner_id <> '${BYSTANDER}'`);
  }
});

async function trailOf(name: string): Promise<void> {
  for (const index of range(EVENTS)) await issueKey(service.client, name, { ...powerlessBody, name: `${index}` });
}

/** Tampering by somebody who has access to the database, but not to the service. */
const tamper = (statement: string) => dataSource.query(statement.replaceAll('$owner', `'${owner}'`));

const found = async () => (await checkAudit(dataSource)).problems;

describe('the check of the audit trail finds', () => {
  const altered = (seq: number) => ({ owner_id: owner, seq: String(seq), problem: 'altered' });

  it.each([
    ['at', `at + interval '1 millisecond'`],
    ['actor', `'operator'`],
    ['action', `'key.seen'`],
    ['api_key_id', 'NULL'],
    ['api_key_id', 'gen_random_uuid()'],
    ['refusal', `'key_not_found'`],
    ['ip', `'10.0.0.1'`],
    ['request_id', 'NULL'],
    ['changes', `'{}'`],
    ['changes', `changes || '{"name": "renamed"}'`],
    ['changes', `jsonb_set(changes, '{limits,max_uses}', '1')`],
    ['hash', `sha256('x')`],
  ])('an event whose %s was altered into %s', async (column, value) => {
    const where = (seq: number) => `WHERE owner_id = $owner AND seq = ${seq}`;
    for (const seq of [1, 3, EVENTS]) {
      await tamper(`CREATE TABLE kept AS SELECT * FROM audit_events ${where(seq)}`);
      await tamper(`UPDATE audit_events SET ${column} = ${value} ${where(seq)}`);
      expect(await found()).toEqual([{ owner_id: owner, seq: String(seq), problem: 'altered' }]);
      await tamper(`DELETE FROM audit_events ${where(seq)}`);
      await tamper('INSERT INTO audit_events SELECT * FROM kept');
      await tamper('DROP TABLE kept');
      expect(await found()).toEqual([]);
    }
  });

  it.each([1, 3, EVENTS])('event %d, where it was removed', async (seq) => {
    await tamper(`DELETE FROM audit_events WHERE owner_id = $owner AND seq = ${seq}`);
    expect(await found()).toEqual([{ owner_id: owner, seq: String(seq), problem: 'missing' }]);
  });

  it('an event that was removed, with the later ones renumbered', async () => {
    await tamper('DELETE FROM audit_events WHERE owner_id = $owner AND seq = 3');
    await tamper('UPDATE audit_events SET seq = seq - 1 WHERE owner_id = $owner AND seq = 4');
    await tamper('UPDATE audit_events SET seq = seq - 1 WHERE owner_id = $owner AND seq = 5');
    expect(await found()).toEqual([altered(3), altered(4), { owner_id: owner, seq: '5', problem: 'missing' }]);
  });

  it('the last event removed, with the head set back but without its hash', async () => {
    await tamper('DELETE FROM audit_events WHERE owner_id = $owner AND seq = 5');
    await tamper('UPDATE owners SET audit_seq = 4 WHERE owner_id = $owner');
    expect(await found()).toEqual([{ owner_id: owner, seq: '4', problem: 'altered' }]);
  });

  const copy = (seq: number, from: number) => `
    INSERT INTO audit_events
    SELECT owner_id, ${seq}, at, actor, 'key.seen', api_key_id, refusal, ip, request_id, changes, hash
    FROM audit_events WHERE owner_id = $owner AND seq = ${from}`;

  it('an event that was inserted at the end', async () => {
    await tamper(copy(EVENTS + 1, EVENTS));
    expect(await found()).toEqual([{ owner_id: owner, seq: '6', problem: 'inserted' }]);
  });

  it('an event that was inserted at the end, with the head’s count raised', async () => {
    await tamper(copy(EVENTS + 1, EVENTS));
    await tamper('UPDATE owners SET audit_seq = 6 WHERE owner_id = $owner');
    expect(await found()).toEqual([{ owner_id: owner, seq: '6', problem: 'altered' }]);
  });

  it('an event that was inserted before the first', async () => {
    await tamper(copy(0, 1));
    expect(await found()).toEqual([{ owner_id: owner, seq: '0', problem: 'inserted' }]);
  });

  it('an event that was inserted in the middle, with the later ones renumbered', async () => {
    for (const seq of [5, 4, 3]) {
      await tamper(`UPDATE audit_events SET seq = seq + 1 WHERE owner_id = $owner AND seq = ${seq}`);
    }
    await tamper(copy(3, 2));
    await tamper('UPDATE owners SET audit_seq = 6 WHERE owner_id = $owner');
    expect(await found()).toEqual([altered(3), altered(4), altered(5), altered(6)]);
  });

  it('several events that were inserted at the end, reported as one range', async () => {
    for (const seq of [6, 7, 9]) await tamper(copy(seq, EVENTS));
    expect(await found()).toEqual([{ owner_id: owner, seq: '6', through: '9', problem: 'inserted' }]);
  });

  it('every change to one trail, in order', async () => {
    for (const _ of range(20)) await issueKey(service.client, owner, powerlessBody);
    const rename = (seq: number) =>
      tamper(`UPDATE audit_events SET actor = 'operator' WHERE owner_id = $owner AND seq = ${seq}`);
    for (const seq of [2, 3, 7, 25]) await rename(seq);
    await tamper(`UPDATE audit_events SET hash = sha256('x') WHERE owner_id = $owner AND seq = 5`);
    await tamper('DELETE FROM audit_events WHERE owner_id = $owner AND seq IN (10, 11, 12, 20)');
    await tamper(copy(-3, 1));
    expect(await found()).toEqual([
      { owner_id: owner, seq: '-3', problem: 'inserted' },
      altered(2),
      altered(3),
      altered(5),
      altered(7),
      { owner_id: owner, seq: '10', through: '12', problem: 'missing' },
      { owner_id: owner, seq: '20', problem: 'missing' },
      altered(25),
    ]);
  });

  it.each([
    ['at', `'infinity'`],
    ['changes', `jsonb_set(changes, '{limits,max_uses}', '1e400')`],
  ])('an event whose %s was altered into %s, which JavaScript cannot represent', async (column, value) => {
    await tamper(`UPDATE audit_events SET ${column} = ${value} WHERE owner_id = $owner AND seq = 2`);
    expect(await found()).toEqual([altered(2)]);
  });

  it('changes to several owners, each reported for its owner', async () => {
    const other = `${owner} too`;
    await trailOf(other);
    await tamper(`UPDATE audit_events SET actor = 'operator' WHERE owner_id <> '${BYSTANDER}' AND seq = 4`);
    expect(await found()).toEqual([altered(4), { ...altered(4), owner_id: other }]);
  });

  it('an event that was reassigned to another owner', async () => {
    await tamper(`UPDATE audit_events SET owner_id = '${BYSTANDER}', seq = 6 WHERE owner_id = $owner AND seq = 5`);
    expect(await found()).toEqual([
      { owner_id: BYSTANDER, seq: '6', problem: 'inserted' },
      { owner_id: owner, seq: '5', problem: 'missing' },
    ]);
    await tamper(`DELETE FROM audit_events WHERE owner_id = '${BYSTANDER}' AND seq = 6`);
  });

  it.each([
    ['with its head', ['audit_events', 'owners'], { seq: '0', problem: 'headless' }],
    ['without its head', ['audit_events'], { seq: '1', through: '5', problem: 'missing' }],
    ['except its head', ['owners'], { seq: '0', problem: 'headless' }],
  ])("an owner's whole trail removed, %s", async (_, tables, offence) => {
    for (const table of tables) await tamper(`DELETE FROM ${table} WHERE owner_id = $owner`);
    expect(await found()).toEqual([{ owner_id: owner, ...offence }]);
  });
});

it('is an operator’s command that reports the result by its exit code', async () => {
  const verifyAudit = (...options: string[]) =>
    run(['dist/cli.js', 'verify-audit', ...options], {
      ...database.variables,
      JWT_PUBLIC_KEY: accountService.publicKey,
    });
  const good = await verifyAudit('--json');
  expect([good.code, JSON.parse(good.stdout)]).toEqual([0, { owners: 2, events: 10, offences: [], accepted: [] }]);
  expect((await verifyAudit()).stdout).toMatch(/^All 2 trails are intact\.$/m);
  await tamper('DELETE FROM audit_events WHERE owner_id = $owner AND seq = 2');
  const bad = await verifyAudit('--json');
  const offences = [{ owner_id: owner, seq: 2, problem: 'missing' }];
  expect([bad.code, JSON.parse(bad.stdout)]).toMatchObject([1, { offences }]);
  await tamper('DELETE FROM audit_events WHERE owner_id = $owner');
  const { stdout } = await verifyAudit();
  expect(stdout).toMatch(/^Not all of the 2 trails are intact\.$/m);
  expect(stdout).toContain(`${owner}, event 1: missing (to event 5)`);
});
