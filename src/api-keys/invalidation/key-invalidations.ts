import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import { tooMany } from '../../http/errors/api-error.js';
import { KeyedConcurrency } from '../../http/load/keyed-concurrency.js';
import { retryConflicts } from './retry-conflicts.js';
import { sqlStateOf } from '../../database/sql-state.js';

/** The channel on which changes are notified: `LISTEN key_changes`. The payload is the `api_key`. */
export const KEY_CHANGES_CHANNEL = 'key_changes';

/** One of an owner's changes at a time, so that those which wait for the owner's row hold no connection meanwhile. */
const TURNS = { running: 1, queued: 100 };
/** Longer than any transaction here takes; whoever waits longer for a row is told to try again. */
const LOCK_TIMEOUT = '2s';

const UNIQUE_VIOLATION = '23505';
const MAX_TRIES = 5;
const ADVANCE_NUMBERS = `
  SELECT setval(numbers, greatest(max(seq), pg_sequence_last_value(numbers)))
  FROM key_changes, CAST(pg_get_serial_sequence('key_changes', 'seq') AS regclass) AS numbers GROUP BY numbers`;

type Listener = (apiKeys: readonly string[]) => void;

/** What came of a change, and the `api_key` of each key that it changed. */
export interface Changed<T> {
  result: T;
  changed: string[];
  /** Whether the changes may be learned of by the poll alone, because whatever they bring holds already. */
  isQuiet?: boolean;
}

/** Makes every change of keys known: to this process at once, to the others by the table and by a notification. */
@Injectable()
export class KeyChanges {
  private readonly listeners: Listener[] = [];
  private readonly turns = new KeyedConcurrency(TURNS, () =>
    tooMany("Too many changes of this account's keys are waiting."),
  );

  constructor(private readonly dataSource: DataSource) {}

  /** Calls the listener with the keys that this process has changed, before whoever changed them is answered. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /**
   * Runs a change of an owner's keys in a transaction, together with the record of it, when it is its turn.
   *
   * @param act does it, and tells which keys it has changed; it is done once more where another transaction won
   * @returns its result; by then this process has forgotten the keys
   * @throws UnavailableError if too many of the owner's changes wait, or its rows are locked for too long
   */
  transaction<T>(ownerId: string, act: (tx: EntityManager) => Promise<Changed<T>>): Promise<T> {
    return this.turns.run(ownerId, () => this.run(act));
  }

  /** Tells all processes what is no change of a key; see `announcements.ts`. */
  async announce(text: string): Promise<void> {
    await this.run(() => Promise.resolve({ result: undefined, changed: [text] }));
  }

  /** Where a database was restored, or moved, without what its numbers had come to, they are given out again. */
  private async withFreeNumbers<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        if (!isNumberTaken(error) || tries === MAX_TRIES) throw error;
        await this.dataSource.query(ADVANCE_NUMBERS);
      }
    }
  }

  private async run<T>(act: (tx: EntityManager) => Promise<Changed<T>>): Promise<T> {
    let changed: string[] = [];
    const attempt = () =>
      this.dataSource.transaction(async (tx) => {
        await tx.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
        const done = await act(tx);
        ({ changed } = done);
        if (changed.length > 0) await record(tx, changed, done.isQuiet);
        return done.result;
      });
    try {
      return await retryConflicts(() => this.withFreeNumbers(attempt));
    } finally {
      // Even where the commit failed: its answer may be what was lost
      for (const listener of this.listeners) listener(changed);
    }
  }
}

function isNumberTaken(error: unknown): boolean {
  if (sqlStateOf(error) !== UNIQUE_VIOLATION || !(error instanceof QueryFailedError)) return false;
  return (error.driverError as { constraint?: string }).constraint === 'key_changes_pkey';
}

async function record(tx: EntityManager, apiKeys: string[], isQuiet = false): Promise<void> {
  await tx.query(
    `WITH recorded AS (
       INSERT INTO key_changes (transaction_id, api_key, changed_at)
       SELECT pg_current_xact_id()::text::bigint, api_key, now() FROM unnest($1::text[]) AS api_key
       RETURNING api_key
     )
     SELECT pg_notify('${KEY_CHANGES_CHANNEL}', api_key) FROM recorded ${isQuiet ? 'WHERE false' : ''}`,
    [apiKeys],
  );
}
