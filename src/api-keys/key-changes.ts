import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** The channel on which changes are notified: `LISTEN key_changes`. The payload is the `api_key`. */
export const KEY_CHANGES_CHANNEL = 'key_changes';

type Listener = (apiKeys: readonly string[]) => void;

/** Makes every change of keys known: to this process at once, to the others by the table and by a notification. */
@Injectable()
export class KeyChanges {
  private readonly listeners: Listener[] = [];

  constructor(private readonly dataSource: DataSource) {}

  /** Calls the listener with the keys that this process has changed, before whoever changed them is answered. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * Runs a change in a transaction, together with the record of it.
   *
   * @param act does it, and tells the `api_key` of each key that it changed
   * @returns its result; by then this process has forgotten the keys
   */
  async transaction<T>(act: (tx: EntityManager) => Promise<{ result: T; changed: string[] }>): Promise<T> {
    let changed: string[] = [];
    try {
      return await this.dataSource.transaction(async (tx) => {
        const done = await act(tx);
        ({ changed } = done);
        if (changed.length > 0) await record(tx, changed);
        return done.result;
      });
    } finally {
      // Even where the commit failed: its answer may be what was lost
      for (const listener of this.listeners) listener(changed);
    }
  }
}

async function record(tx: EntityManager, apiKeys: string[]): Promise<void> {
  await tx.query(
    `WITH recorded AS (
       INSERT INTO key_changes (transaction_id, api_key, changed_at)
       SELECT pg_current_xact_id()::text::bigint, api_key, now() FROM unnest($1::text[]) AS api_key
       RETURNING api_key
     )
     SELECT pg_notify('${KEY_CHANGES_CHANNEL}', api_key) FROM recorded`,
    [apiKeys],
  );
}
