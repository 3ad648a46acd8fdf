import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { VERIFICATION_POOL } from '../../database/database.module.js';
import { withTimeout } from '../../database/with-timeout.js';
import { changeHandle } from '@w3ipfs/api-keys-guard/decision';
import { InvalidationFeed, type Reached } from '../../verification/invalidation-feed.js';
import type { Change } from './change-log.js';

const READ_TIMEOUT_MS = 2_000;
/** A guard that missed more begins anew. */
const MAX_CHANGES = 10_000;
/**
 * Rows are removed after an hour. While a younger row of an older transaction is there, and no transaction takes minutes,
 * no row of a later transaction has been removed. Housekeeping writes one regularly, so that there is one.
 */
const COMPLETE_WITHIN = '50 minutes';

/** One statement, so that rows are not removed between two. */
const READ = `
  SELECT changes.transaction_id, changes.api_key
  FROM (SELECT changed_at FROM key_changes
        WHERE transaction_id <= $1::bigint ORDER BY transaction_id DESC LIMIT 1) AS older
  LEFT JOIN (SELECT transaction_id, api_key FROM key_changes
             WHERE transaction_id >= $1::bigint ORDER BY transaction_id LIMIT ${MAX_CHANGES + 1}) AS changes ON true
  WHERE older.changed_at > now() - interval '${COMPLETE_WITHIN}'`;

interface Row {
  transaction_id: string | null;
  api_key: string | null;
}

/** What was read from the table. */
export interface Older {
  readonly changes: readonly Change[];
  /** Noted before the read: it contains every change up to there, but not all that were committed since. */
  readonly reached: Reached | undefined;
}

/** The changes of the last fifty minutes, from the table: for a guard whose position is older than this process. */
@Injectable()
export class OlderChanges {
  /** By the position: after a restart, all guards ask for the same. */
  private readonly reading = new Map<bigint, Promise<Older | undefined>>();

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly feed: InvalidationFeed,
  ) {}

  /**
   * The changes of transactions from an id on; `undefined` if there are too many, or perhaps not all are left.
   *
   * @throws LateAnswerError; the database's errors
   */
  since(position: bigint): Promise<Older | undefined> {
    let changes = this.reading.get(position);
    if (!changes) {
      changes = this.read(position).finally(() => this.reading.delete(position));
      this.reading.set(position, changes);
    }
    return changes;
  }

  private async read(position: bigint): Promise<Older | undefined> {
    const { reached } = this.feed;
    const query = this.dataSource.query<Row[]>(READ, [String(position)]);
    const rows = await withTimeout(READ_TIMEOUT_MS, query);
    if (rows.length === 0 || rows.length > MAX_CHANGES) return undefined;
    const changes = rows.flatMap(({ transaction_id: at, api_key: identifier }) =>
      at === null || identifier === null ? [] : [{ h: changeHandle(identifier), at: BigInt(at) }],
    );
    return { changes, reached };
  }
}
