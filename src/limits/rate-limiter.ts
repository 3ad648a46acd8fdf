import type { WindowResult } from './sliding-window.js';
import type { RateLimit } from '../principals/key-limits.js';

/** How a key stands to its limit, after a decision; see draft-ietf-httpapi-ratelimit-headers. */
export interface RateState {
  limit: number;
  windowSeconds: number;
  remaining: number;
  /**
   * Whole seconds, rounded up, until all of the limit is there again; never more than the window. Of a refusal never 0:
   * of a cost that never fits, it is the window's length, however little counts.
   */
  resetSeconds: number;
}

export interface RateDecision extends RateState {
  granted: boolean;
  /** 0 when granted; else whole seconds, rounded up, until this cost would fit (the window's, if it never will). */
  retryAfterSeconds: number;
  /**
   * Undoes the charge, because a later check has refused. A second call does nothing, and so does a call after a
   * refusal. It never fails: a charge that cannot be given back leaves with the window.
   */
  refund(): void | Promise<void>;
}

/**
 * Decides whether a key may do something now: never more than `requests` of cost in any window of
 * `windowSeconds`, wherever it begins; what is granted counts for at most a hundredth of the window longer than
 * that. A refusal costs nothing, a cost of 0 is always granted, and one above `requests` never.
 */
export abstract class RateLimiter {
  /** What it takes of this process's memory, about. */
  abstract get bytes(): number;

  /**
   * @param key begins with its purpose (`key:`, `management:`), each of which has memory of its own
   * @param cost a whole number from 0
   * @param owner whose key it is: no owner may have more than a share of that memory
   * @throws UnavailableError, at once or by its promise, where too many wait for a decision, or there is no memory
   *   to count in
   */
  abstract take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision | Promise<RateDecision>;
}

/**
 * Words a reckoning as a decision. What counts for a hundredth of the window too long is not told: clients and proxies
 * take a wait beyond the window for a mistake. Whoever comes back then may be told once more to wait for that little.
 */
export function decisionOf(limit: RateLimit, reckoning: WindowResult, giveBack: RateDecision['refund']): RateDecision {
  return {
    granted: reckoning.granted,
    limit: limit.requests,
    windowSeconds: limit.windowSeconds,
    remaining: reckoning.remaining,
    resetSeconds: secondsWithin(limit, Math.max(reckoning.resetMs, reckoning.retryAfterMs)),
    retryAfterSeconds: secondsWithin(limit, reckoning.retryAfterMs),
    refund: giveBack,
  };
}

function secondsWithin({ windowSeconds }: RateLimit, ms: number): number {
  return Math.min(Math.ceil(ms / 1_000), windowSeconds);
}
