/** The number of slots in a window. */
export const SLOTS = 100;

/** A window that begins within a slot overlaps one more slot. */
export const RING = SLOTS + 1;

/** Up to this many non-empty slots are kept as a list; more become a ring of all slots. */
const MAX_LISTED = 8;
/** The maximum length, in slots, of a list that may not grow. */
const MAX_LISTED_WITHOUT_GROWTH = 2;
/** An object with a boxed number, and an empty list. */
const OBJECT_BYTES = 24 + 4 * 8 + 16 + 48;
/** The ring's elements, which are outside the heap, and its three objects on the heap. */
const RING_BYTES = 4 * RING + 320;

/**
 * Counts of the newest slots by age; the newest has age 0. Most windows are charged once or twice, which needs little
 * memory.
 */
export class SlotCounts {
  /** The sum of all counts. */
  sum = 0;
  /** Alternating positions and counts, the oldest first; empty if there is a ring. */
  private list: number[] = [];
  private ring: Uint32Array | undefined;

  /** @param position the position of the newest slot; never decreases */
  constructor(public position: number) {}

  /** The approximate memory use. */
  get bytes(): number {
    return OBJECT_BYTES + 8 * this.list.length + (this.ring ? RING_BYTES : 0);
  }

  weightOf(age: number): number {
    const position = this.position - age;
    if (this.ring) return this.ring[position % RING] ?? 0;
    const at = this.indexInList(position);
    return this.list[at] === position ? (this.list[at + 1] as number) : 0;
  }

  /** The age of the newest non-empty slot; `RING` if all are empty. */
  newestAge(): number {
    if (this.sum === 0) return RING;
    if (!this.ring) {
      let at = this.list.length - 2;
      while (this.list[at + 1] === 0) at -= 2;
      return this.position - (this.list[at] as number);
    }
    let age = 0;
    while (this.weightOf(age) === 0) age++;
    return age;
  }

  /** The age of the newest slot that must expire, with all older ones, until the sum is at most `allowed`. */
  ageToLeave(allowed: number): number {
    let left = this.sum;
    let age = RING;
    while (left > allowed && age > 0) left -= this.weightOf(--age);
    return age;
  }

  /**
   * @param mayGrow whether more memory may be allocated; otherwise the two oldest counts are merged and expire with the
   *   newer one
   */
  add(age: number, weight: number, mayGrow = true): void {
    if (weight === 0) return;
    this.sum += weight;
    const position = this.position - age;
    if (this.ring) {
      this.ring[position % RING] = (this.ring[position % RING] ?? 0) + weight;
      return;
    }
    const at = this.indexInList(position);
    if (this.list[at] === position) this.list[at + 1] = (this.list[at + 1] as number) + weight;
    else this.insert(at, position, weight, mayGrow);
  }

  /** Moves forward by `passed` slots; the oldest counts expire. */
  advance(passed: number): void {
    if (passed > 0 && this.sum > 0) {
      if (this.ring) this.clearRing(this.ring, passed);
      else this.dropBefore(passed);
    }
    this.position += passed;
    if (this.sum === 0) this.clear(this.position);
  }

  clear(position: number): void {
    this.sum = 0;
    this.position = position;
    if (this.list.length > 0) this.list = [];
    this.ring = undefined;
  }

  /** The index of a position in the list, or the index at which to insert it. */
  private indexInList(position: number): number {
    let at = this.list.length;
    while (at > 0 && (this.list[at - 2] as number) >= position) at -= 2;
    return at;
  }

  private insert(at: number, position: number, weight: number, mayGrow: boolean): void {
    // A new list each time: V8 over-allocates when a list grows in place
    this.list = this.list.toSpliced(at, 0, position, weight);
    if (this.list.length <= (mayGrow ? 2 * MAX_LISTED : 2 * MAX_LISTED_WITHOUT_GROWTH)) return;
    if (mayGrow) return this.toRing();
    const [, oldest = 0, younger = 0, itsWeight = 0, ...rest] = this.list;
    this.list = [younger, itsWeight + oldest, ...rest];
  }

  private toRing(): void {
    const ring = new Uint32Array(RING);
    for (let at = 0; at < this.list.length; at += 2)
      ring[(this.list[at] as number) % RING] = this.list[at + 1] as number;
    this.ring = ring;
    this.list = [];
  }

  private clearRing(ring: Uint32Array, passed: number): void {
    for (let i = 1; i <= Math.min(passed, RING) && this.sum > 0; i++) {
      const place = (this.position + i) % RING;
      this.sum -= ring[place] ?? 0;
      ring[place] = 0;
    }
  }

  private dropBefore(passed: number): void {
    const oldest = this.position + passed - SLOTS;
    let kept = 0;
    for (; kept < this.list.length && (this.list[kept] as number) < oldest; kept += 2) {
      this.sum -= this.list[kept + 1] as number;
    }
    if (kept > 0) this.list = this.list.slice(kept);
  }
}
