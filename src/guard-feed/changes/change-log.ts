/** A change as it is sent to guards. */
export interface Change {
  /** See `changeHandle()`. */
  h: string;
  /** The id of its transaction; `null` if unknown. */
  at: bigint | null;
}

interface LoggedChange extends Change {
  at: bigint;
  /** Counts the changes of this log, in the order in which they were added. */
  number: number;
}

/** The number of changes that are kept at least; half as many again are dropped together. */
const KEPT = 10_000;

/** The latest changes, ordered by their transactions' ids. */
export class ChangeLog {
  private changes: LoggedChange[] = [];
  /** Each change is found twice, by notification and by poll. */
  private known = new Set<string>();
  private added = 0;
  private completeFrom: bigint | undefined;

  /** Whether it is complete from some position on. */
  get isComplete(): boolean {
    return this.completeFrom !== undefined;
  }

  /** All changes of transactions from an id on have been added, and will be. */
  completeSince(position: bigint): void {
    this.completeFrom ??= position;
  }

  /** The number of the latest change; 0 if there was none. */
  get lastNumber(): number {
    return this.added;
  }

  /** @returns whether the change is new */
  add(h: string, at: bigint): boolean {
    const id = idOf(h, at);
    if (this.known.has(id)) return false;
    this.known.add(id);
    const change = { h, at, number: ++this.added };
    // Mostly the last: ids are assigned in ascending order, and committed in almost the same
    let index = this.changes.length;
    while (index > 0 && (this.changes[index - 1] as LoggedChange).at > at) index--;
    this.changes.splice(index, 0, change);
    if (this.changes.length > KEPT * 1.5) this.dropOldest();
    return true;
  }

  /** The changes of transactions from an id on, in their order; `undefined` unless it is complete from there on. */
  since(position: bigint): readonly LoggedChange[] | undefined {
    if (this.completeFrom === undefined || position < this.completeFrom) return undefined;
    let [low, high] = [0, this.changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.changes[middle] as LoggedChange).at < position) low = middle + 1;
      else high = middle;
    }
    return this.changes.slice(low);
  }

  private dropOldest(): void {
    const dropped = this.changes.splice(0, this.changes.length - KEPT);
    for (const { h, at } of dropped) this.known.delete(idOf(h, at));
    const last = dropped.at(-1);
    if (last && this.completeFrom !== undefined && last.at >= this.completeFrom) this.completeFrom = last.at + 1n;
  }
}

function idOf(h: string, at: bigint): string {
  return `${h} ${at}`;
}
