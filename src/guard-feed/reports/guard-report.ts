import type { Verdict } from '../../verification/verdict.js';

/**
 * The verdicts that a report may contain: refusals of unknown pairs belong to no key. Guards of this version never send
 * `EXPIRED`, since a grant ends before its key does.
 */
export const REPORTED_CODES = [
  'VALID',
  'INSUFFICIENT_SCOPE',
  'IP_NOT_ALLOWED',
  'EXPIRED',
] as const satisfies readonly Verdict['code'][];
export type ReportedCode = (typeof REPORTED_CODES)[number];

export const SECRET_KINDS = ['current', 'previous'] as const;

/** How often a guard gave a verdict on a key. */
export interface ReportedCount {
  keyId: string;
  secretKind: (typeof SECRET_KINDS)[number];
  code: ReportedCode;
  /** From 1. */
  times: number;
  /** Since the last of these verdicts, when the report was sent. */
  lastMsAgo: number;
}

/** What one guard decided since its previous report. */
export interface GuardReport {
  /** Chosen at random by each guard. */
  guard: string;
  /** Counts the reports of the guard, from 1; the same number again is the same report. */
  seq: number;
  counts: ReportedCount[];
}
