/** A change of a key that is committed. */
export interface Commit {
  readonly id: number;
  readonly key: number;
  readonly enabled: boolean;
}

/** Since when a key is enabled or not. */
interface Spell {
  readonly from: number;
  readonly enabled: boolean;
}

/** A database with keys that are enabled and disabled, by transactions that commit in any order. */
export class ModelDatabase {
  /** Another after each restore. */
  epoch = 0;
  commits: Commit[] = [];
  /** Transactions under way. */
  private open: Commit[] = [];
  private nextId = 100;
  private readonly spells: Spell[][];

  constructor(readonly keys: number) {
    this.spells = Array.from({ length: keys }, (_, key) => [
      { from: Number.NEGATIVE_INFINITY, enabled: isEnabledAtFirst(key) },
    ]);
  }

  /** `pg_snapshot_xmin`: the oldest transaction under way. */
  get oldest(): number {
    return Math.min(this.nextId, ...this.open.map(({ id }) => id));
  }

  begin(key: number, enabled: boolean): void {
    this.open.push({ id: this.nextId++, key, enabled });
  }

  /** Commits one of the transactions under way, the last for -1. */
  commit(pick: number, now: number): Commit | undefined {
    const [commit] = this.open.splice(pick < 0 ? pick : pick % Math.max(1, this.open.length), 1);
    if (!commit) return undefined;
    this.commits.push(commit);
    this.spells[commit.key]?.push({ from: now, enabled: commit.enabled });
    return commit;
  }

  isEnabled(key: number): boolean {
    return this.spells[key]?.at(-1)?.enabled ?? false;
  }

  /** Whether the key was enabled at any time after `from`. */
  wasEnabledAfter(from: number, key: number): boolean {
    const spells = this.spells[key] ?? [];
    return spells.some(({ enabled }, i) => enabled && (spells[i + 1]?.from ?? Infinity) > from);
  }

  /** Restores an earlier state: the ids after it are assigned again. */
  restore(pick: number, now: number): void {
    // Often just the last one is lost
    const kept = pick % 2 === 0 ? Math.max(0, this.commits.length - 1) : pick % (this.commits.length + 1);
    const lost = this.commits.slice(kept);
    this.commits = this.commits.slice(0, kept);
    this.open = [];
    this.epoch++;
    this.nextId = Math.min(this.nextId, ...lost.map(({ id }) => id));
    for (let key = 0; key < this.keys; key++) {
      const last = this.commits.findLast((commit) => commit.key === key);
      this.spells[key]?.push({ from: now, enabled: last?.enabled ?? isEnabledAtFirst(key) });
    }
  }
}

function isEnabledAtFirst(key: number): boolean {
  return key % 2 === 0;
}
