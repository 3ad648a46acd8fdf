import { type DataSource, MoreThan } from 'typeorm';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import { Owner } from './owner.entity.js';

/** Where an owner's trail is not what was written. */
export interface AuditOffence {
  owner_id: string;
  /** The event that does not fit, or that is missing. */
  seq: string;
  problem: 'altered' | 'missing' | 'inserted' | 'headless';
}

const EVENTS_AT_ONCE = 1_000;

/** Goes through the trails of all owners: finds events that were altered, taken out or put in. */
export async function checkAudit(
  dataSource: DataSource,
): Promise<{ owners: number; events: number; offences: AuditOffence[] }> {
  const owners = await dataSource.getRepository(Owner).find({ order: { ownerId: 'ASC' } });
  const offences = [...(await headless(dataSource)), ...(await inserted(dataSource))];
  let events = 0;
  for (const owner of owners) {
    const { count, offence } = await checkTrail(dataSource, owner);
    events += count;
    if (offence) offences.push(offence);
  }
  return { owners: owners.length, events, offences };
}

/** The first offence in one owner's trail: what comes after it cannot be told. */
async function checkTrail(dataSource: DataSource, { ownerId, auditSeq, auditHash }: Owner) {
  let previous: Buffer | null = null;
  let count = 0;
  const offend = (problem: AuditOffence['problem'], seq = count + 1) => ({
    count,
    offence: { owner_id: ownerId, seq: String(seq), problem },
  });
  for await (const { hash, ...entry } of eventsOf(dataSource, ownerId)) {
    // What has been appended since, or inserted
    if (Number(entry.seq) > Number(auditSeq)) break;
    if (entry.seq !== String(count + 1)) return offend('missing');
    if (!chainHash(previous, entry).equals(hash)) return offend('altered');
    previous = hash;
    count++;
  }
  if (count < Number(auditSeq)) return offend('missing');
  const isHead = (auditHash ?? Buffer.of()).equals(previous ?? Buffer.of());
  return isHead ? { count, offence: undefined } : offend('altered', count);
}

/** An owner's events in their order, some at a time. */
async function* eventsOf(dataSource: DataSource, ownerId: string): AsyncGenerator<AuditEvent> {
  let last = '0';
  for (;;) {
    const events = await dataSource.getRepository(AuditEvent).find({
      where: { ownerId, seq: MoreThan(last) },
      order: { seq: 'ASC' },
      take: EVENTS_AT_ONCE,
    });
    yield* events;
    last = events.at(-1)?.seq ?? last;
    if (events.length < EVENTS_AT_ONCE) return;
  }
}

/** Events outside of their trail, the first of each owner; seen in one statement, since others may append. */
async function inserted(dataSource: DataSource): Promise<AuditOffence[]> {
  const rows = (await dataSource.query(
    `SELECT owner_id, min(seq)::text AS seq FROM audit_events JOIN owners USING (owner_id)
     WHERE seq > audit_seq OR seq < 1 GROUP BY owner_id ORDER BY owner_id`,
  )) as { owner_id: string; seq: string }[];
  return rows.map((row) => ({ ...row, problem: 'inserted' }));
}

/** Whoever takes an owner's whole trail away, its head included, leaves keys and events that nobody owns. */
async function headless(dataSource: DataSource): Promise<AuditOffence[]> {
  const rows = (await dataSource.query(
    `SELECT owner_id FROM (SELECT owner_id FROM api_keys UNION SELECT owner_id FROM audit_events) AS owned
     WHERE owner_id NOT IN (SELECT owner_id FROM owners) ORDER BY owner_id`,
  )) as { owner_id: string }[];
  return rows.map(({ owner_id }) => ({ owner_id, seq: '0', problem: 'headless' }));
}
