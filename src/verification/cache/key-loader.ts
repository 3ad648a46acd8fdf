import type { ApiKey } from '../../api-keys/api-key.entity.js';

/** So many keys in one statement, which is then answered in milliseconds. */
const MAX_AT_ONCE = 1_000;

interface Batch {
  readonly apiKeys: Set<string>;
  /** By their `api_key`. */
  readonly found: Promise<Map<string, ApiKey>>;
}

/**
 * Reads keys for whoever asks, one statement at a time, which carries all that have asked by then: while the
 * database does not answer, however many ask, they wait for one statement, and fail together with it.
 */
export class KeyLoader {
  private filling: Batch | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly find: (apiKeys: string[]) => Promise<ApiKey[]>) {}

  /** The key as it is now or later; `null` if there is none. @throws whatever `find` throws */
  async read(apiKey: string): Promise<ApiKey | null> {
    if (!this.filling || this.filling.apiKeys.size >= MAX_AT_ONCE) this.filling = this.open();
    const { apiKeys, found } = this.filling;
    apiKeys.add(apiKey);
    return (await found).get(apiKey) ?? null;
  }

  /** A batch that is read when those before it are. */
  private open(): Batch {
    const apiKeys = new Set<string>();
    const found = this.last.then(async () => {
      if (this.filling?.apiKeys === apiKeys) this.filling = undefined;
      return new Map((await this.find([...apiKeys])).map((one) => [one.identifier, one]));
    });
    this.last = found;
    // Whoever asks after a failure starts anew
    found.catch(() => this.last === found && this.startAnew());
    return { apiKeys, found };
  }

  private startAnew(): void {
    this.filling = undefined;
    this.last = Promise.resolve();
  }
}
