import type { DataSource, EntityManager } from 'typeorm';
import { appendEvents } from './append.js';
import { ACCEPTED, type Acceptance, findAcceptances } from './audit-acceptances.js';
import { findHeadlessOwners, headlessFinding } from './audit-check.js';
import type { AuditProblem, Finding } from './audit-problem.js';
import { OPERATOR } from '../principals/audit-source.js';
import { Owner } from '../owners/owner.entity.js';
import { TrailCheck } from './trail-check.js';

/** The problem cannot be accepted; the message is for the operator. */
export class NotAcceptableError extends Error {}

export interface AcceptanceRequest {
  ownerId: string;
  /** The event, as the check reports it. */
  seq: string;
  reason: string;
  at: Date;
}

/** Points the head at the last event. Recreates a missing row, with its number of unrevoked keys. */
const REPAIR_HEAD = `
  INSERT INTO owners (owner_id, live_keys, audit_seq, audit_hash)
  SELECT $1, (SELECT count(*) FROM api_keys WHERE owner_id = $1 AND revoked_at IS NULL), coalesce(last.seq, 0), last.hash
  FROM (SELECT) AS always
  LEFT JOIN (SELECT seq, hash FROM audit_events WHERE owner_id = $1 AND seq > 0 ORDER BY seq DESC LIMIT 1) AS last ON true
  ON CONFLICT (owner_id) DO UPDATE SET audit_seq = excluded.audit_seq, audit_hash = excluded.audit_hash`;

/**
 * Accepts a problem in an owner's trail by appending an event to that trail. The check then skips the problem until its
 * evidence changes. Existing events stay as they are; only a broken head is repaired.
 *
 * @returns the accepted problem, and the `seq` of the event that records the acceptance
 * @throws NotAcceptableError if there is no such problem, or another one has to be accepted first
 */
export async function acceptProblem(
  dataSource: DataSource,
  { ownerId, seq, reason, at }: AcceptanceRequest,
): Promise<{ problem: AuditProblem; event: string }> {
  const finding = await findProblem(dataSource, ownerId, seq);
  const { seq: from, through, problem } = finding.problem;
  const event = await dataSource.transaction(async (tx) => {
    const previous = await lockHead(tx, ownerId, finding);
    const range = through !== undefined && { through };
    const changes: Acceptance = { seq: from, ...range, problem, evidence: finding.evidence, previous, reason };
    const record = { action: ACCEPTED, apiKeyId: null, changes: { ...changes } };
    return appendEvents(tx, ownerId, [{ ...record, at, source: OPERATOR }]);
  });
  return { problem: finding.problem, event: String(event) };
}

async function findProblem(dataSource: DataSource, ownerId: string, seq: string): Promise<Finding> {
  let [wanted, last]: (Finding | undefined)[] = [];
  for await (const finding of findProblemsOf(dataSource, ownerId)) {
    if (finding.problem.seq === seq) wanted ??= finding;
    if (finding.breaksHead || !last?.breaksHead) last = finding;
  }
  if (!wanted)
    throw new NotAcceptableError(`Nothing is wrong with event ${seq} of ${ownerId}, or it is already accepted.`);
  if (last?.breaksHead && last !== wanted) {
    throw new NotAcceptableError(
      `Accept event ${last.problem.seq} first: nothing can be appended to the trail until then.`,
    );
  }
  return wanted;
}

async function* findProblemsOf(dataSource: DataSource, ownerId: string): AsyncGenerator<Finding> {
  for await (const owner of findHeadlessOwners(dataSource, ownerId)) yield headlessFinding(owner);
  const owner = await dataSource.getRepository(Owner).findOneBy({ ownerId });
  if (owner) yield* new TrailCheck(dataSource, owner, await findAcceptances(dataSource, ownerId)).findings();
}

/** @returns the hash that the next event is chained to, in hexadecimal */
async function lockHead(tx: EntityManager, ownerId: string, { head: seen, breaksHead }: Finding): Promise<string> {
  const read = () => tx.findOne(Owner, { where: { ownerId }, lock: { mode: 'pessimistic_write' } });
  let head = await read();
  const isSame =
    head?.auditSeq === seen?.auditSeq && (head?.auditHash ?? Buffer.of()).equals(seen?.auditHash ?? Buffer.of());
  if (seen && !isSame) throw new NotAcceptableError('The trail has changed since it was checked. Verify it again.');
  if (breaksHead) {
    await tx.query(REPAIR_HEAD, [ownerId]);
    head = await read();
  }
  return head?.auditHash?.toString('hex') ?? '';
}
