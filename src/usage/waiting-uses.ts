import { tooMany, type UnavailableError } from '../http/errors/api-error.js';

/** The result of consuming uses of a limited key. */
export interface Consumed {
  granted: boolean;
  /** The uses left; `null` if the limit has since been removed. */
  remaining: number | null;
  /** Whether the uses were denied because the key has since been revoked. */
  isRevoked: boolean;
}

/** A caller waiting for its uses to be committed. */
export interface Waiting {
  keyId: string;
  cost: number;
  /** By `performance.now()`. */
  deadline: number;
  resolve(consumed: Consumed): void;
  reject(error: unknown): void;
}

/** The result of a commit for one key. */
export interface ConsumedRow {
  id: string;
  granted: number;
  remaining: number | null;
  revoked: boolean;
}

/** Rejects a caller that has waited too long, for example behind calls of other costs. @returns whether it did */
export function rejectIfExpired(one: Waiting): boolean {
  if (performance.now() < one.deadline) return false;
  one.reject(tooManyUses());
  return true;
}

/** Takes from each key's queue the leading callers of equal cost: their order does not affect the result. */
export function takeBatch(waiting: readonly Waiting[]): { batch: Map<string, Waiting[]>; rest: Waiting[] } {
  const batch = new Map<string, Waiting[]>();
  const rest: Waiting[] = [];
  const blocked = new Set<string>();
  for (const one of waiting) {
    const same = batch.get(one.keyId);
    if (blocked.has(one.keyId) || (same && same[0]?.cost !== one.cost)) {
      blocked.add(one.keyId);
      rest.push(one);
    } else if (same) same.push(one);
    else batch.set(one.keyId, [one]);
  }
  return { batch, rest };
}

/** The leading callers of equal cost in one key's queue. */
export function leadingOfSameCost(waiting: readonly Waiting[]): Waiting[] {
  const end = waiting.findIndex(({ cost }) => cost !== waiting[0]?.cost);
  return end === -1 ? [...waiting] : waiting.slice(0, end);
}

/** Grants the first `granted` callers. Remaining uses are reported as if they had been served one by one. */
export function settle(all: readonly Waiting[], { granted, remaining, revoked }: Omit<ConsumedRow, 'id'>): void {
  for (const [index, one] of all.entries()) {
    if (index >= granted) one.resolve({ granted: false, remaining, isRevoked: revoked });
    else {
      const left = remaining === null ? null : remaining + (granted - index - 1) * one.cost;
      one.resolve({ granted: true, remaining: left, isRevoked: false });
    }
  }
}

export function tooManyUses(): UnavailableError {
  return tooMany('Too many uses are waiting to be committed.');
}
