import type { WindowResult } from './sliding-window.js';
import type { RateLimit } from '../principals/key-limits.js';

/** The state of a limit after a decision; see draft-ietf-httpapi-ratelimit-headers. */
export interface RateState {
  limit: number;
  windowSeconds: number;
  remaining: number;
  /**
   * Whole seconds, rounded up, until the whole limit is available again; at most the window. Never 0 after a denial: for
   * a cost that never fits it is the window's length.
   */
  resetSeconds: number;
}

export interface RateDecision extends RateState {
  granted: boolean;
  /** 0 if granted; otherwise whole seconds, rounded up, until this cost fits (the window's length if it never does). */
  retryAfterSeconds: number;
  /**
   * Undoes the charge after a later check denied the request. Does nothing after a denial or when called again. Never
   * throws: a charge that cannot be refunded expires with the window.
   */
  refund(): void | Promise<void>;
}

/**
 * Limits rates exactly: grants a total cost of at most `requests` in any window of `windowSeconds`, wherever it begins.
 * A charge counts for up to a hundredth of the window too long. A denial costs nothing, a cost of 0 is always granted,
 * and a cost above `requests` never.
 */
export abstract class RateLimiter {
  /** The approximate memory use in this process. */
  abstract get bytes(): number;

  /**
   * @param key starts with its purpose (`key:`, `management:`); each purpose has its own memory
   * @param cost a whole number from 0
   * @param owner the key's owner, who may use at most a share of that memory
   * @throws UnavailableError, synchronously or as a rejection, if too many decisions are pending or memory is exhausted
   */
  abstract take(key: string, limit: RateLimit, cost: number, owner?: string): RateDecision | Promise<RateDecision>;
}

/**
 * Converts a window's result to a decision. Times are capped at the window, since clients and proxies treat a longer wait
 * as an error. As charges may count for a hundredth of the window longer, a client may have to retry once more.
 */
export function toDecision(limit: RateLimit, result: WindowResult, refund: RateDecision['refund']): RateDecision {
  return {
    granted: result.granted,
    limit: limit.requests,
    windowSeconds: limit.windowSeconds,
    remaining: result.remaining,
    resetSeconds: secondsWithin(limit, Math.max(result.resetMs, result.retryAfterMs)),
    retryAfterSeconds: secondsWithin(limit, result.retryAfterMs),
    refund,
  };
}

function secondsWithin({ windowSeconds }: RateLimit, ms: number): number {
  return Math.min(Math.ceil(ms / 1_000), windowSeconds);
}
