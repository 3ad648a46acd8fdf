import { LRUCache } from 'lru-cache';

/**
 * Hands out one object for equal values, as long as it remembers them: the least recently used are dropped beyond
 * `max`, so that values of any variety cost no more than that.
 */
export class InternPool<T extends object> {
  private readonly values: LRUCache<string, T>;

  constructor(max: number) {
    this.values = new LRUCache({ max });
  }

  /** @param key the same for equal values alone */
  get(key: string, create: () => T): T {
    let value = this.values.get(key);
    if (!value) this.values.set(key, (value = create()));
    return value;
  }
}
