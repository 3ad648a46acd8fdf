import { LRUCache } from 'lru-cache';

/**
 * Returns one shared object for equal values. The least recently used are evicted over `max`, so that memory stays bounded
 * whatever the values are.
 */
export class InternPool<T extends object> {
  private readonly values: LRUCache<string, T>;

  constructor(max: number) {
    this.values = new LRUCache({ max });
  }

  /** @param key equal if and only if the values are */
  get(key: string, create: () => T): T {
    let value = this.values.get(key);
    if (!value) this.values.set(key, (value = create()));
    return value;
  }
}
