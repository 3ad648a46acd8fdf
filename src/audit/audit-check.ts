import { type DataSource, MoreThan } from 'typeorm';
import { type AcceptedProblem, findAcceptances } from './audit-acceptances.js';
import type { AuditProblem, Finding } from './audit-problem.js';
import { Owner } from '../owners/owner.entity.js';
import { TrailCheck } from './trail-check.js';

/** The result of a check of all trails. */
export interface AuditReport {
  owners: number;
  events: number;
  /** Problems that are not accepted, at most `MAX_LISTED`. */
  problems: AuditProblem[];
  /** The number of problems beyond `MAX_LISTED`. */
  unlisted: number;
  /** Accepted problems whose evidence has not changed since. */
  accepted: AcceptedProblem[];
}

const MAX_LISTED = 10_000;
const OWNERS_PER_READ = 500;

/** Checks the trails of all owners for events that were altered, removed or inserted. */
export async function checkAudit(dataSource: DataSource): Promise<AuditReport> {
  const acceptances = await findAcceptances(dataSource);
  const report: AuditReport = { owners: 0, events: 0, problems: [], unlisted: 0, accepted: [] };
  const list = ({ problem }: Finding) => {
    if (report.problems.length < MAX_LISTED) report.problems.push(problem);
    else report.unlisted++;
  };
  for await (const ownerId of findHeadlessOwners(dataSource)) {
    const finding = headlessFinding(ownerId);
    acceptances.covers(finding);
    list(finding);
  }
  for await (const owner of readOwners(dataSource)) {
    const check = new TrailCheck(dataSource, owner, acceptances);
    for await (const finding of check.findings()) list(finding);
    report.owners++;
    report.events += check.events;
  }
  return { ...report, accepted: acceptances.current };
}

/** An owner whose row is missing, although it has keys or events: its whole trail may have been removed. */
export function headlessFinding(ownerId: string): Finding {
  return { problem: { owner_id: ownerId, seq: '0', problem: 'headless' }, evidence: null, breaksHead: true };
}

/** @param ownerId limits the search to one owner */
export async function* findHeadlessOwners(dataSource: DataSource, ownerId?: string): AsyncGenerator<string> {
  let last = '';
  for (;;) {
    const rows = (await dataSource.query(
      `SELECT owner_id FROM (SELECT owner_id FROM api_keys UNION SELECT owner_id FROM audit_events) AS owned
       WHERE NOT EXISTS (SELECT FROM owners WHERE owners.owner_id = owned.owner_id)
         AND owner_id > $1 AND ($2::text IS NULL OR owner_id = $2)
       ORDER BY owner_id LIMIT $3`,
      [last, ownerId ?? null, OWNERS_PER_READ],
    )) as { owner_id: string }[];
    for (const row of rows) yield row.owner_id;
    last = rows.at(-1)?.owner_id ?? last;
    if (rows.length < OWNERS_PER_READ) return;
  }
}

async function* readOwners(dataSource: DataSource): AsyncGenerator<Owner> {
  let last = '';
  for (;;) {
    const owners = await dataSource
      .getRepository(Owner)
      .find({ where: { ownerId: MoreThan(last) }, order: { ownerId: 'ASC' }, take: OWNERS_PER_READ });
    yield* owners;
    last = owners.at(-1)?.ownerId ?? last;
    if (owners.length < OWNERS_PER_READ) return;
  }
}
