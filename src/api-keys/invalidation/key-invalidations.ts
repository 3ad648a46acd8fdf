import { Injectable } from '@nestjs/common';
import type { UnitOfWork } from './unit-of-work.js';

/** The channel of the notifications: `LISTEN key_changes`. The payload is the `api_key`. */
export const KEY_CHANGES_CHANNEL = 'key_changes';

type Listener = (identifiers: readonly string[]) => void;

/** Publishes invalidations: to this process at once, to the others by a table that they poll and by notifications. */
@Injectable()
export class KeyInvalidations {
  private readonly listeners: Listener[] = [];

  /** The listener is called with the `api_key`s that this process has changed, before the change is answered. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Writes the invalidations of a unit of work in its transaction. */
  async record(uow: UnitOfWork): Promise<void> {
    if (uow.notified.length > 0) await uow.tx.query(RECORD_AND_NOTIFY, [uow.notified]);
    if (uow.unnotified.length > 0) await uow.tx.query(RECORD, [uow.unnotified]);
  }

  /** Calls this process's listeners. */
  notify({ notified, unnotified }: UnitOfWork): void {
    const identifiers = [...notified, ...unnotified];
    for (const listener of this.listeners) listener(identifiers);
  }
}

const RECORD = `
  INSERT INTO key_changes (transaction_id, api_key, changed_at)
  SELECT pg_current_xact_id()::text::bigint, api_key, now() FROM unnest($1::text[]) AS api_key`;

const RECORD_AND_NOTIFY = `
  WITH recorded AS (${RECORD} RETURNING api_key)
  SELECT pg_notify('${KEY_CHANGES_CHANNEL}', api_key) FROM recorded`;
