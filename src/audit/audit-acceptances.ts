import type { DataSource } from 'typeorm';
import type { AuditAction } from './audit-actions.js';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import type { AuditProblem, Finding } from './audit-problem.js';

/** The action of an event by which an operator accepts a problem. */
export const ACCEPTED: AuditAction = 'audit.accepted';

/** The `changes` of such an event. */
export interface Acceptance extends Omit<AuditProblem, 'owner_id'> {
  evidence: string | null;
  /** The hash that the event itself is chained to, in hexadecimal. */
  previous: string;
  reason: string;
}

/** An accepted problem, and the event that accepted it. */
export type AcceptedProblem = AuditProblem & Pick<Acceptance, 'evidence' | 'previous' | 'reason'> & { event: string };

/** The acceptances of all owners, or of one. Acceptances that were altered themselves are ignored. */
export async function findAcceptances(dataSource: DataSource, ownerId?: string): Promise<Acceptances> {
  const events = await dataSource.getRepository(AuditEvent).find({
    where: { action: ACCEPTED, ...(ownerId !== undefined && { ownerId }) },
    order: { ownerId: 'ASC', seq: 'ASC' },
  });
  const found: AcceptedProblem[] = [];
  for (const event of events) {
    if (!(await isChained(dataSource, event))) continue;
    found.push({ owner_id: event.ownerId, event: event.seq, ...acceptanceOf(event) });
  }
  return new Acceptances(found);
}

/** Operators' acceptances. Each covers the evidence found at the time and nothing else. */
export class Acceptances {
  /** Acceptances whose evidence has changed since. */
  private readonly outdated = new Set<AcceptedProblem>();

  constructor(private readonly all: readonly AcceptedProblem[]) {}

  /** Whether the finding was accepted with the same evidence. Marks acceptances with other evidence as outdated. */
  covers({ problem, evidence }: Finding): boolean {
    for (const accepted of this.all) {
      const isSame = (['owner_id', 'seq', 'problem'] as const).every((name) => accepted[name] === problem[name]);
      if (isSame && accepted.evidence !== evidence) this.outdated.add(accepted);
    }
    return evidence !== null && this.includes(problem.owner_id, evidence);
  }

  /** Whether this evidence was accepted, without marking anything as outdated. */
  includes(ownerId: string, evidence: string): boolean {
    return this.all.some((accepted) => accepted.owner_id === ownerId && accepted.evidence === evidence);
  }

  /** Acceptances that are not outdated. */
  get current(): AcceptedProblem[] {
    return this.all.filter((accepted) => !this.outdated.has(accepted));
  }
}

export function acceptanceOf({ changes }: AuditEvent): Acceptance {
  return changes as object as Acceptance;
}

/** Whether the event is chained to the event before it or, if that one is missing, to the head it was appended to. */
async function isChained(dataSource: DataSource, { hash, ...entry }: AuditEvent): Promise<boolean> {
  const [before] = (await dataSource.query(
    'SELECT hash FROM audit_events WHERE owner_id = $1 AND seq = $2::bigint - 1',
    [entry.ownerId, entry.seq],
  )) as { hash: Buffer }[];
  const previous = before?.hash ?? Buffer.from(String(entry.changes['previous']), 'hex');
  return chainHash(previous, entry).equals(hash);
}
