import type { DataSource, EntityManager } from 'typeorm';
import { appendEvents } from './append.js';
import { ACCEPTED, type Acceptance, findAcceptances } from './audit-acceptances.js';
import { headless, headlessFinding } from './audit-check.js';
import type { AuditProblem, Finding } from './audit-problem.js';
import { OPERATOR } from '../principals/audit-source.js';
import { Owner } from '../owners/owner.entity.js';
import { TrailCheck } from './trail-check.js';

/** An offence that cannot be accepted, in words for the operator. */
export class NotAcceptableError extends Error {}

export interface AcceptanceRequest {
  ownerId: string;
  /** The event, as the check has it. */
  seq: string;
  reason: string;
  at: Date;
}

/**
 * The head, put after the last event that there is; and made, with the number of keys that are not revoked, where it is
 * gone.
 */
const MEND_HEAD = `
  INSERT INTO owners (owner_id, live_keys, audit_seq, audit_hash)
  SELECT $1, (SELECT count(*) FROM api_keys WHERE owner_id = $1 AND revoked_at IS NULL), coalesce(last.seq, 0), last.hash
  FROM (SELECT) AS always
  LEFT JOIN (SELECT seq, hash FROM audit_events WHERE owner_id = $1 AND seq > 0 ORDER BY seq DESC LIMIT 1) AS last ON true
  ON CONFLICT (owner_id) DO UPDATE SET audit_seq = excluded.audit_seq, audit_hash = excluded.audit_hash`;

/**
 * Accepts an offence in an owner's trail, by an event in that trail: from then on, the check passes over what was found,
 * as long as it stays what it is. Nothing that is there is changed, but for a head that leads nowhere.
 *
 * @returns what was accepted, and the event that says so
 * @throws NotAcceptableError if there is no such offence, or another one has to be accepted first
 */
export async function acceptOffence(
  dataSource: DataSource,
  { ownerId, seq, reason, at }: AcceptanceRequest,
): Promise<{ offence: AuditProblem; event: string }> {
  const finding = await find(dataSource, ownerId, seq);
  const { seq: from, through, problem } = finding.offence;
  const event = await dataSource.transaction(async (tx) => {
    const previous = await holdHead(tx, ownerId, finding);
    const range = through !== undefined && { through };
    const changes: Acceptance = { seq: from, ...range, problem, evidence: finding.evidence, previous, reason };
    const record = { action: ACCEPTED, apiKeyId: null, changes: { ...changes } };
    return appendEvents(tx, ownerId, [{ ...record, at, origin: OPERATOR }]);
  });
  return { offence: finding.offence, event: String(event) };
}

async function find(dataSource: DataSource, ownerId: string, seq: string): Promise<Finding> {
  let [wanted, last]: (Finding | undefined)[] = [];
  for await (const finding of findingsOf(dataSource, ownerId)) {
    if (finding.offence.seq === seq) wanted ??= finding;
    if (finding.breaksHead || !last?.breaksHead) last = finding;
  }
  if (!wanted) throw new NotAcceptableError(`Nothing is wrong with event ${seq} of ${ownerId}, or it is accepted.`);
  if (last?.breaksHead && last !== wanted) {
    throw new NotAcceptableError(
      `Accept event ${last.offence.seq} first: nothing can be appended to the trail before.`,
    );
  }
  return wanted;
}

async function* findingsOf(dataSource: DataSource, ownerId: string): AsyncGenerator<Finding> {
  for await (const owner of headless(dataSource, ownerId)) yield headlessFinding(owner);
  const owner = await dataSource.getRepository(Owner).findOneBy({ ownerId });
  if (owner) yield* new TrailCheck(dataSource, owner, await findAcceptances(dataSource, ownerId)).findings();
}

/** @returns the hash by which the next event is chained, in hexadecimal */
async function holdHead(tx: EntityManager, ownerId: string, { head: seen, breaksHead }: Finding): Promise<string> {
  const read = () => tx.findOne(Owner, { where: { ownerId }, lock: { mode: 'pessimistic_write' } });
  let head = await read();
  const isSame =
    head?.auditSeq === seen?.auditSeq && (head?.auditHash ?? Buffer.of()).equals(seen?.auditHash ?? Buffer.of());
  if (seen && !isSame) throw new NotAcceptableError('The trail has gone on meanwhile: verify it again.');
  if (breaksHead) {
    await tx.query(MEND_HEAD, [ownerId]);
    head = await read();
  }
  return head?.auditHash?.toString('hex') ?? '';
}
