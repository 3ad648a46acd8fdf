import { tooMany, type UnavailableError } from '../http/errors/api-error.js';

/** What came of asking for uses of a limited key. */
export interface Consumed {
  granted: boolean;
  /** How many are left; `null` if the limit has been lifted meanwhile. */
  remaining: number | null;
  /** Whether the key was revoked meanwhile, and is refused for that. */
  isRevoked: boolean;
}

/** A caller that waits for its uses to be committed. */
export interface Waiting {
  keyId: string;
  cost: number;
  /** By `performance.now()`. */
  deadline: number;
  resolve(spent: Consumed): void;
  reject(error: unknown): void;
}

/** What a commit came to for one key. */
export interface ConsumedRow {
  id: string;
  granted: number;
  remaining: number | null;
  revoked: boolean;
}

/** Rejects what has waited for too long, behind calls of other costs, say: nobody waits for its answer any more. */
export function isLate(one: Waiting): boolean {
  if (performance.now() < one.deadline) return false;
  one.reject(tooManyUses());
  return true;
}

/** Of each key, those at the head of the queue that ask for the same cost: their order does not matter then. */
export function takeBatch(waiting: readonly Waiting[]): { batch: Map<string, Waiting[]>; rest: Waiting[] } {
  const batch = new Map<string, Waiting[]>();
  const rest: Waiting[] = [];
  const cut = new Set<string>();
  for (const one of waiting) {
    const same = batch.get(one.keyId);
    if (cut.has(one.keyId) || (same && same[0]?.cost !== one.cost)) {
      cut.add(one.keyId);
      rest.push(one);
    } else if (same) same.push(one);
    else batch.set(one.keyId, [one]);
  }
  return { batch, rest };
}

/** Those at the head of a key's queue that ask for the same cost. */
export function atOneCost(waiting: readonly Waiting[]): Waiting[] {
  const end = waiting.findIndex(({ cost }) => cost !== waiting[0]?.cost);
  return end === -1 ? [...waiting] : waiting.slice(0, end);
}

/** The first ones are granted; what is left after each is told as if they had come one by one. */
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
  return tooMany('Too many uses are waiting to be counted.');
}
