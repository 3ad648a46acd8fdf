import { createHash } from 'node:crypto';
import { type AuditEntry, chainHash } from './audit-chain.js';
import type { AuditEvent } from './audit-event.entity.js';
import type { Owner } from '../owners/owner.entity.js';

/** A place where an owner's trail differs from what was written. */
export interface AuditProblem {
  owner_id: string;
  /** The altered, inserted or first missing event; 0 for the owner as a whole. */
  seq: string;
  /** The last event of a range that is missing or was inserted. */
  through?: string;
  problem: 'altered' | 'missing' | 'inserted' | 'headless';
}

/** A problem, and the evidence that an operator accepts with it. */
export interface Finding {
  problem: AuditProblem;
  /**
   * A digest of what was found; it changes when the rows change. `null` if accepting the problem repairs it, so that it
   * is a new problem whenever it is found again.
   */
  evidence: string | null;
  /** The owner's head at that time, if the problem is one of the head or of the trail's end. */
  head?: Pick<Owner, 'auditSeq' | 'auditHash'> | undefined;
  /** Whether the head does not match the last event: nothing can be appended until it is repaired. */
  breaksHead?: boolean;
}

/** A digest of an event row as it is now, its hash included. */
export function evidenceOfEvent({ hash, ...entry }: AuditEvent): string {
  return chainHash(hash, entry satisfies AuditEntry).toString('hex');
}

/** @param next the evidence of the event after the gap, or `evidenceOfHead()` at the end of the trail */
export function evidenceOfGap(from: bigint, through: bigint, next: string): string {
  return createHash('sha256').update(`${from} ${through} ${next}`).digest('hex');
}

/** @param hash in hexadecimal */
export function evidenceOfHead(hash: string): string {
  return `head ${hash}`;
}
