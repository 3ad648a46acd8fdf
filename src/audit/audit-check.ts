import { type DataSource, MoreThan } from 'typeorm';
import { type AcceptedOffence, findAcceptances } from './audit-acceptances.js';
import type { AuditProblem, Finding } from './audit-problem.js';
import { Owner } from '../owners/owner.entity.js';
import { TrailCheck } from './trail-check.js';

/** What is found in the trails of all owners. */
export interface AuditReport {
  owners: number;
  events: number;
  /** What is not accepted: all of it, up to `MAX_LISTED`. */
  offences: AuditProblem[];
  /** How many more there are. */
  unlisted: number;
  /** What an operator has accepted, and nobody has altered again since. */
  accepted: AcceptedOffence[];
}

const MAX_LISTED = 10_000;
const OWNERS_AT_ONCE = 500;

/** Goes through the trails of all owners: finds events that were altered, taken out or put in. */
export async function checkAudit(dataSource: DataSource): Promise<AuditReport> {
  const acceptances = await findAcceptances(dataSource);
  const report: AuditReport = { owners: 0, events: 0, offences: [], unlisted: 0, accepted: [] };
  const list = ({ offence }: Finding) => {
    if (report.offences.length < MAX_LISTED) report.offences.push(offence);
    else report.unlisted++;
  };
  for await (const ownerId of headless(dataSource)) {
    const finding = headlessFinding(ownerId);
    acceptances.covers(finding);
    list(finding);
  }
  for await (const owner of ownersOf(dataSource)) {
    const check = new TrailCheck(dataSource, owner, acceptances);
    for await (const finding of check.findings()) list(finding);
    report.owners++;
    report.events += check.events;
  }
  return { ...report, accepted: acceptances.holding };
}

/** Whoever takes an owner's whole trail away, its head included, leaves keys and events that nobody owns. */
export function headlessFinding(ownerId: string): Finding {
  return { offence: { owner_id: ownerId, seq: '0', problem: 'headless' }, evidence: null, breaksHead: true };
}

/** @param ownerId if it is about one alone */
export async function* headless(dataSource: DataSource, ownerId?: string): AsyncGenerator<string> {
  let last = '';
  for (;;) {
    const rows = (await dataSource.query(
      `SELECT owner_id FROM (SELECT owner_id FROM api_keys UNION SELECT owner_id FROM audit_events) AS owned
       WHERE NOT EXISTS (SELECT FROM owners WHERE owners.owner_id = owned.owner_id)
         AND owner_id > $1 AND ($2::text IS NULL OR owner_id = $2)
       ORDER BY owner_id LIMIT $3`,
      [last, ownerId ?? null, OWNERS_AT_ONCE],
    )) as { owner_id: string }[];
    for (const row of rows) yield row.owner_id;
    last = rows.at(-1)?.owner_id ?? last;
    if (rows.length < OWNERS_AT_ONCE) return;
  }
}

async function* ownersOf(dataSource: DataSource): AsyncGenerator<Owner> {
  let last = '';
  for (;;) {
    const owners = await dataSource
      .getRepository(Owner)
      .find({ where: { ownerId: MoreThan(last) }, order: { ownerId: 'ASC' }, take: OWNERS_AT_ONCE });
    yield* owners;
    last = owners.at(-1)?.ownerId ?? last;
    if (owners.length < OWNERS_AT_ONCE) return;
  }
}
