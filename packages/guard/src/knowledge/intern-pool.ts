/** Returns one shared object for equal values. Bounded, since owners choose the values: when it is full, it is cleared. */
export class InternPool<T extends object> {
  private readonly values = new Map<string, T>();

  constructor(private readonly max = 1_000) {}

  /** @param key equal if and only if the values are */
  get(key: string, create: () => T): T {
    let value = this.values.get(key);
    if (value) return value;
    if (this.values.size >= this.max) this.values.clear();
    this.values.set(key, (value = create()));
    return value;
  }
}
