import type { DataSource } from 'typeorm';
import type { AuditAction } from './audit-actions.js';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import type { AuditProblem, Finding } from './audit-problem.js';

/** The action of the event by which an operator accepts an offence. */
export const ACCEPTED: AuditAction = 'audit.accepted';

/** What such an event says, in its `changes`. */
export interface Acceptance extends Omit<AuditProblem, 'owner_id'> {
  evidence: string | null;
  /** The head's hash by which the event itself is chained; hexadecimal. */
  previous: string;
  reason: string;
}

/** An acceptance, and the event that tells of it. */
export type AcceptedOffence = AuditProblem & Pick<Acceptance, 'evidence' | 'previous' | 'reason'> & { event: string };

/** The acceptances in the trails of all owners, or of one; those that were altered themselves are worth nothing. */
export async function findAcceptances(dataSource: DataSource, ownerId?: string): Promise<Acceptances> {
  const events = await dataSource.getRepository(AuditEvent).find({
    where: { action: ACCEPTED, ...(ownerId !== undefined && { ownerId }) },
    order: { ownerId: 'ASC', seq: 'ASC' },
  });
  const found: AcceptedOffence[] = [];
  for (const event of events) {
    if (!(await isChained(dataSource, event))) continue;
    found.push({ owner_id: event.ownerId, event: event.seq, ...acceptanceOf(event) });
  }
  return new Acceptances(found);
}

/** Operators' acceptances of offences, each for what was found at the time and nothing else. */
export class Acceptances {
  /** Those of which something else has been found since. */
  private readonly outdated = new Set<AcceptedOffence>();

  constructor(private readonly all: readonly AcceptedOffence[]) {}

  /** Whether what was found is what was accepted. */
  covers({ offence, evidence }: Finding): boolean {
    for (const accepted of this.all) {
      const isSame = (['owner_id', 'seq', 'problem'] as const).every((name) => accepted[name] === offence[name]);
      if (isSame && accepted.evidence !== evidence) this.outdated.add(accepted);
    }
    return evidence !== null && this.includes(offence.owner_id, evidence);
  }

  /** Whether this was accepted, whatever else is found. */
  includes(ownerId: string, evidence: string): boolean {
    return this.all.some((accepted) => accepted.owner_id === ownerId && accepted.evidence === evidence);
  }

  /** Those that still hold. */
  get holding(): AcceptedOffence[] {
    return this.all.filter((accepted) => !this.outdated.has(accepted));
  }
}

export function acceptanceOf({ changes }: AuditEvent): Acceptance {
  return changes as unknown as Acceptance;
}

/** To the event before it, or, where that is missing, to the head of which the event itself tells. */
async function isChained(dataSource: DataSource, { hash, ...entry }: AuditEvent): Promise<boolean> {
  const [before] = (await dataSource.query(
    'SELECT hash FROM audit_events WHERE owner_id = $1 AND seq = $2::bigint - 1',
    [entry.ownerId, entry.seq],
  )) as { hash: Buffer }[];
  const previous = before?.hash ?? Buffer.from(String(entry.changes['previous']), 'hex');
  return chainHash(previous, entry).equals(hash);
}
