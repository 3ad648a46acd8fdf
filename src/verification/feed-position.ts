import type { SafeClient } from '../database/safe-client.js';
import { StandbyError } from '../database/server-parameters.js';

/**
 * The server's identity and timeline: a standby that is promoted, and a backup that is restored, begin another
 * timeline. The functions may be missing, or not for everybody to call.
 */
const IDENTITY = `(SELECT system_identifier::text FROM pg_control_system())
  || CASE WHEN pg_is_in_recovery() THEN ':standby' ELSE ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END`;
const NO_IDENTITY = `''`;

/** All changes since the oldest transaction that was open at the last poll, and which is the oldest now. */
const poll = (identity: string) => `
  SELECT server.oldest, server.identity, server.is_standby, changes.seq, changes.api_key
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest, ${identity} AS identity,
               pg_is_in_recovery() AS is_standby) AS server
  LEFT JOIN key_changes AS changes ON changes.transaction_id >= $1::bigint`;

export interface InvalidationRow {
  oldest: string;
  identity: string;
  is_standby: boolean;
  seq: string | null;
  api_key: string | null;
}

interface News {
  /** The `api_key` of each key that has changed and was not seen yet. */
  changed: string[];
  /** The database is another one than before, or an earlier state of it: what was seen says nothing of it. */
  isOtherServer: boolean;
}

/**
 * Up to where the changes of a database are known. Transaction ids mean something on one timeline of one server alone:
 * after a failover to a standby that lagged, or on a restored backup, the same ids are given again.
 */
export class FeedPosition {
  private identitySource = NO_IDENTITY;
  private identity: string | undefined;
  private oldest: string | undefined;
  private seen = new Set<string>();

  get statement(): string {
    return poll(this.identitySource);
  }

  /** At the very first, nothing is remembered that could have changed. */
  get parameters(): string[] {
    return [this.oldest ?? String(Number.MAX_SAFE_INTEGER)];
  }

  /** Finds out whether the server of this connection tells who it is. */
  async prepare(client: SafeClient): Promise<void> {
    const isKnown = await client.query(`SELECT ${IDENTITY}`).then(
      () => true,
      (error: { code?: unknown }) => {
        if (typeof error.code === 'string' && MAY_NOT_TELL.test(error.code)) return false;
        throw error;
      },
    );
    this.identitySource = isKnown ? IDENTITY : NO_IDENTITY;
  }

  /**
   * Moves on to what a poll has found.
   *
   * @throws StandbyError for what a standby has told, which may be older than any bound
   */
  advance(rows: readonly InvalidationRow[]): News {
    const [{ oldest, identity, is_standby: isStandby }] = rows as [InvalidationRow];
    if (isStandby) throw new StandbyError();
    const isOtherServer = this.isOther(oldest, identity);
    const changes = rows.filter((row) => row.seq !== null);
    const unseen = isOtherServer ? changes : changes.filter(({ seq }) => !this.seen.has(String(seq)));
    this.identity = identity;
    this.oldest = oldest;
    this.seen = new Set(changes.map(({ seq }) => String(seq)));
    return { changed: unseen.map((row) => String(row.api_key)), isOtherServer };
  }

  private isOther(oldest: string, identity: string): boolean {
    if (this.oldest === undefined) return false;
    return identity !== this.identity || BigInt(oldest) < BigInt(this.oldest);
  }
}

/** SQLSTATE insufficient_privilege, undefined_function, feature_not_supported, object_not_in_prerequisite_state. */
const MAY_NOT_TELL = /^(42501|42883|0A000|55000)$/;
