import { createHash } from 'node:crypto';
import { type AuditEntry, chainHash } from './audit-chain.js';
import type { AuditEvent } from './audit-event.entity.js';
import type { Owner } from '../owners/owner.entity.js';

/** Where an owner's trail is not what was written. */
export interface AuditProblem {
  owner_id: string;
  /** The event that does not fit, or that is missing; 0 for the owner as a whole. */
  seq: string;
  /** The last one, where several in a row are missing or were inserted. */
  through?: string;
  problem: 'altered' | 'missing' | 'inserted' | 'headless';
}

/** An offence, and what an operator would accept with it. */
export interface Finding {
  offence: AuditProblem;
  /**
   * A digest of what was found: when that becomes something else, the evidence does. `null` for what is gone once it is
   * accepted, and is an offence anew whenever it is found.
   */
  evidence: string | null;
  /** The owner's head as it was then, where the offence is one of the head or of the trail's end. */
  head?: Pick<Owner, 'auditSeq' | 'auditHash'> | undefined;
  /** Whether the head does not go with the last event: what is appended would not fit before that is mended. */
  breaksHead?: boolean;
}

/** Over all that the row of an event says now, its own hash included. */
export function evidenceOfEvent({ hash, ...entry }: AuditEvent): string {
  return chainHash(hash, entry satisfies AuditEntry).toString('hex');
}

/** @param next the evidence of the event that follows the gap, or `evidenceOfHead()` where none does */
export function evidenceOfGap(from: bigint, through: bigint, next: string): string {
  return createHash('sha256').update(`${from} ${through} ${next}`).digest('hex');
}

/** @param hash in hexadecimal */
export function evidenceOfHead(hash: string): string {
  return `head ${hash}`;
}
