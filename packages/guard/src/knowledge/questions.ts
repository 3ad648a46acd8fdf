import type { Moment } from '../clock.js';
import type { Change } from './change-log.js';

/** What a question was asked with: an answer is worth no more than what was known when it was asked for. */
export interface Question {
  readonly sent: Moment;
  /** See `Knowledge.era`. */
  readonly era: number;
  /** The news that were known. */
  readonly news: number;
}

/** A question about the changes since a position; without one, about the present position. */
export interface ChangesQuestion extends Question {
  readonly since: bigint | undefined;
  readonly epoch: string | undefined;
}

/** The changes since the position of the question, and possibly more. */
export interface ChangesAnswer {
  /** In which positions are comparable: one state of one database. */
  readonly epoch: string;
  /** Of transactions before it, all changes are known. */
  readonly position: bigint;
  readonly ageMs: number;
  readonly heldMs: number;
  readonly boundMs: number;
  readonly changed: readonly Change[];
}

/** A pair as it is remembered. */
export interface PairId {
  /** See `PairDigests`. */
  readonly digest: string;
  /** See `changeHandle()`. */
  readonly keyHash: string;
}

/** Why a grant of the service was not kept. */
export type NotKept = 'forgotten' | 'stale' | 'epoch' | 'position' | 'changed' | 'over';
