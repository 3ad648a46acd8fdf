/** Into how many slots a window is divided. */
export const SLOTS = 100;

/** A window that begins within a slot overlaps one more. */
export const RING = SLOTS + 1;

/** Up to so many slots that hold something are a list; beyond, all of them are a ring. */
const FEW = 8;
/** Of a list that may not grow. */
const FEWEST = 2;
/** An object with a boxed number, and a list of no elements. */
const OBJECT_BYTES = 24 + 4 * 8 + 16 + 48;
/** The elements of the ring, which are outside the heap, and the three objects that stand for them. */
const RING_BYTES = 4 * RING + 320;

/**
 * A count for each of the newest slots, by its age: 0 is the newest. Most windows are charged once or twice, and cost
 * little then.
 */
export class SlotCounts {
  /** All of the counts together. */
  sum = 0;
  /** Positions and weights in turn, the oldest first; empty beside a ring. */
  private few: number[] = [];
  private ring: Uint32Array | undefined;

  /** @param position where the newest slot's count stands; it never runs backwards */
  constructor(public position: number) {}

  /** What it takes of memory, about. */
  get bytes(): number {
    return OBJECT_BYTES + 8 * this.few.length + (this.ring ? RING_BYTES : 0);
  }

  weightOf(age: number): number {
    const position = this.position - age;
    if (this.ring) return this.ring[position % RING] ?? 0;
    const at = this.indexOf(position);
    return this.few[at] === position ? (this.few[at + 1] as number) : 0;
  }

  /** The age of the newest slot that holds something; `RING` if none does. */
  newestAge(): number {
    if (this.sum === 0) return RING;
    if (!this.ring) {
      let at = this.few.length - 2;
      while (this.few[at + 1] === 0) at -= 2;
      return this.position - (this.few[at] as number);
    }
    let age = 0;
    while (this.weightOf(age) === 0) age++;
    return age;
  }

  /** The age of the newest slot that has to leave, with all before it, until no more than `bearable` is left. */
  ageToLeave(bearable: number): number {
    let left = this.sum;
    let age = RING;
    while (left > bearable && age > 0) left -= this.weightOf(--age);
    return age;
  }

  /**
   * @param mayGrow whether it may take more memory; otherwise the two oldest counts become one, which leaves with the
   *   younger of them
   */
  add(age: number, weight: number, mayGrow = true): void {
    if (weight === 0) return;
    this.sum += weight;
    const position = this.position - age;
    if (this.ring) {
      this.ring[position % RING] = (this.ring[position % RING] ?? 0) + weight;
      return;
    }
    const at = this.indexOf(position);
    if (this.few[at] === position) this.few[at + 1] = (this.few[at + 1] as number) + weight;
    else this.insert(at, position, weight, mayGrow);
  }

  /** Lets as many slots pass: counts that were in the oldest ones leave. */
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
    if (this.few.length > 0) this.few = [];
    this.ring = undefined;
  }

  /** Where a position is in the list, or would be. */
  private indexOf(position: number): number {
    let at = this.few.length;
    while (at > 0 && (this.few[at - 2] as number) >= position) at -= 2;
    return at;
  }

  private insert(at: number, position: number, weight: number, mayGrow: boolean): void {
    // A new list each time: one that grows by itself takes room for many more
    this.few = this.few.toSpliced(at, 0, position, weight);
    if (this.few.length <= (mayGrow ? 2 * FEW : 2 * FEWEST)) return;
    if (mayGrow) return this.toRing();
    const [, oldest = 0, younger = 0, itsWeight = 0, ...rest] = this.few;
    this.few = [younger, itsWeight + oldest, ...rest];
  }

  private toRing(): void {
    const ring = new Uint32Array(RING);
    for (let at = 0; at < this.few.length; at += 2) ring[(this.few[at] as number) % RING] = this.few[at + 1] as number;
    this.ring = ring;
    this.few = [];
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
    for (; kept < this.few.length && (this.few[kept] as number) < oldest; kept += 2) {
      this.sum -= this.few[kept + 1] as number;
    }
    if (kept > 0) this.few = this.few.slice(kept);
  }
}
