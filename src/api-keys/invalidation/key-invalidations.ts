import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from './unit-of-work.js';

/** The channel of the notifications: `LISTEN key_changes`. The payload is the `api_key`, a space and the transaction's id. */
export const KEY_CHANGES_CHANNEL = 'key_changes';

/** What other processes have to drop, or a text for them (`announcements.ts`), and when it was committed. */
export interface Invalidation {
  /** The `api_key` of a key, or an announcement. */
  identifier: string;
  /** The id of the transaction that wrote it; `null` if unknown. */
  transactionId: string | null;
}

type Listener = (invalidations: readonly Invalidation[]) => void;

/** Publishes invalidations: to this process at once, to the others by a table that they poll and by notifications. */
@Injectable()
export class KeyInvalidations {
  private readonly listeners: Listener[] = [];

  /** The listener is called with what this process has changed, before the change is answered. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Writes the invalidations of a unit of work in its transaction. */
  async record(uow: UnitOfWork): Promise<void> {
    if (uow.notified.length > 0) uow.transactionId = await idOf(uow.tx.query(RECORD_AND_NOTIFY, [uow.notified]));
    if (uow.unnotified.length > 0) uow.transactionId = await idOf(uow.tx.query(RECORD, [uow.unnotified]));
  }

  /** Calls this process's listeners. */
  notify({ notified, unnotified, transactionId }: UnitOfWork): void {
    const invalidations = [...notified, ...unnotified].map((identifier) => ({ identifier, transactionId }));
    for (const listener of this.listeners) listener(invalidations);
  }
}

/** The invalidation of a notification. */
export function readNotification(payload: string): Invalidation {
  const [identifier = '', transactionId = null] = payload.split(' ', 2);
  return { identifier, transactionId };
}

async function idOf(rows: Promise<unknown>): Promise<string | null> {
  const [row] = (await rows) as { transaction_id: string }[];
  return row?.transaction_id ?? null;
}

const RECORD = `
  INSERT INTO key_changes (transaction_id, api_key, changed_at)
  SELECT pg_current_xact_id()::text::bigint, api_key, now() FROM unnest($1::text[]) AS api_key
  RETURNING transaction_id, api_key`;

const RECORD_AND_NOTIFY = `
  WITH recorded AS (${RECORD})
  SELECT transaction_id, pg_notify('${KEY_CHANGES_CHANNEL}', api_key || ' ' || transaction_id) FROM recorded`;
