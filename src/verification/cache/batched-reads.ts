import type { ApiKey } from '../../api-keys/api-key.entity.js';

/** Small enough for the database to answer the statement in milliseconds. */
const MAX_KEYS_PER_STATEMENT = 1_000;

interface Batch {
  readonly apiKeys: Set<string>;
  /** By `api_key`. */
  readonly found: Promise<Map<string, ApiKey>>;
}

/**
 * Reads keys with one statement at a time, which carries all callers that are waiting by then. While the database does
 * not answer, any number of callers wait for one statement, and fail together with it.
 */
export class BatchedReads {
  private filling: Batch | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly find: (apiKeys: string[]) => Promise<ApiKey[]>) {}

  /**
   * Reads the key's current state, with a statement that starts after the call; `null` if there is no such key.
   *
   * @throws whatever `find` throws
   */
  async read(apiKey: string): Promise<ApiKey | null> {
    if (!this.filling || this.filling.apiKeys.size >= MAX_KEYS_PER_STATEMENT) this.filling = this.open();
    const { apiKeys, found } = this.filling;
    apiKeys.add(apiKey);
    return (await found).get(apiKey) ?? null;
  }

  /** A batch that is read after all earlier ones. */
  private open(): Batch {
    const apiKeys = new Set<string>();
    const found = this.last.then(async () => {
      if (this.filling?.apiKeys === apiKeys) this.filling = undefined;
      return new Map((await this.find([...apiKeys])).map((key) => [key.identifier, key]));
    });
    this.last = found;
    // Callers that come after a failure are not chained to it
    found.catch(() => this.last === found && this.reset());
    return { apiKeys, found };
  }

  private reset(): void {
    this.filling = undefined;
    this.last = Promise.resolve();
  }
}
