import { createHash } from 'node:crypto';
import type { Invalidation } from '../api-keys/invalidation/key-invalidations.js';
import type { SafeClient } from '../database/safe-client.js';
import { StandbyError } from '../database/server-parameters.js';

/**
 * The server's identity and timeline: a promoted standby and a restored backup start another timeline. The functions may
 * be missing, or require a privilege.
 */
const IDENTITY = `(SELECT system_identifier::text FROM pg_control_system())
  || CASE WHEN pg_is_in_recovery() THEN ':standby' ELSE ':' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END`;
const NO_IDENTITY = `''`;

/** SQLSTATE insufficient_privilege, undefined_function, feature_not_supported, object_not_in_prerequisite_state. */
const NO_IDENTITY_CODES = /^(42501|42883|0A000|55000)$/;

/**
 * When the server was started, and when it last recovered from a crash of one of its processes: only then, or on request,
 * the statistics of the background writer are reset. Ids of transactions that were lost in a crash are assigned again.
 */
const STARTED = `pg_postmaster_start_time()::text || coalesce((SELECT stats_reset::text FROM pg_stat_bgwriter), '')`;

/** All changes since the oldest transaction that was open at the last poll, and the one that is the oldest now. */
const poll = (identity: string) => `
  SELECT server.oldest, server.identity, server.started, server.is_standby,
         changes.seq, changes.transaction_id, changes.api_key
  FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest, ${identity} AS identity,
               ${STARTED} AS started, pg_is_in_recovery() AS is_standby) AS server
  LEFT JOIN key_changes AS changes ON changes.transaction_id >= $1::bigint`;

export interface InvalidationRow {
  oldest: string;
  identity: string;
  started: string;
  is_standby: boolean;
  seq: string | null;
  transaction_id: string | null;
  api_key: string | null;
}

interface Invalidations {
  /** Those that no earlier poll returned. */
  changed: Invalidation[];
  /** The database is another one than before, or an earlier state of it: what was read before may never have happened. */
  isOtherServer: boolean;
}

/** A position in the changes of a database: all of transactions with lower ids are known. */
export interface Position {
  /** Of one server on one timeline since its start: positions of different epochs are not comparable. */
  readonly epoch: string;
  /** A transaction id (64 bits) as decimal text: the oldest that was open at the last poll. */
  readonly oldest: string;
}

/**
 * The position up to which a database's changes are known. Transaction ids are comparable on one timeline of one server
 * only: after a failover to a standby that lagged, or on a restored backup, the same ids are assigned again.
 */
export class FeedPosition {
  private identitySource = NO_IDENTITY;
  private identity: string | undefined;
  private oldest: string | undefined;
  private started = '';
  private known: Position | undefined;
  /** The changes that the last poll returned: polls overlap, because transactions commit out of order. */
  private seen = new Set<string>();

  /** `undefined` before the first poll. */
  get current(): Position | undefined {
    return this.known;
  }

  get statement(): string {
    return poll(this.identitySource);
  }

  /** The first poll asks for no changes: nothing is cached yet. */
  get parameters(): string[] {
    return [this.oldest ?? String(Number.MAX_SAFE_INTEGER)];
  }

  /** Determines whether the server of this connection reveals its identity. */
  async prepare(client: SafeClient): Promise<void> {
    const hasIdentity = await client.query(`SELECT ${IDENTITY}`).then(
      () => true,
      (error: { code?: unknown }) => {
        if (typeof error.code === 'string' && NO_IDENTITY_CODES.test(error.code)) return false;
        throw error;
      },
    );
    this.identitySource = hasIdentity ? IDENTITY : NO_IDENTITY;
  }

  /**
   * Advances to the result of a poll.
   *
   * @throws StandbyError for a standby, whose answers may be older than any bound; the position stays
   */
  advance(rows: readonly InvalidationRow[]): Invalidations {
    const [{ oldest, identity, started, is_standby: isStandby }] = rows as [InvalidationRow];
    if (isStandby) throw new StandbyError();
    const isOtherServer = this.isOther(oldest, identity);
    const changes = rows.filter((row) => row.seq !== null);
    const unseen = isOtherServer ? changes : changes.filter(({ seq }) => !this.seen.has(String(seq)));
    if (!this.known || identity !== this.identity || started !== this.started || oldest !== this.oldest)
      this.known = { epoch: epochOf(identity, started), oldest };
    this.identity = identity;
    this.started = started;
    this.oldest = oldest;
    this.seen = new Set(changes.map(({ seq }) => String(seq)));
    return { changed: unseen.map(toInvalidation), isOtherServer };
  }

  private isOther(oldest: string, identity: string): boolean {
    if (this.oldest === undefined) return false;
    return identity !== this.identity || BigInt(oldest) < BigInt(this.oldest);
  }
}

function toInvalidation({ api_key: identifier, transaction_id: transactionId }: InvalidationRow): Invalidation {
  return { identifier: String(identifier), transactionId };
}

/** Opaque: it tells clients nothing of the server. */
function epochOf(identity: string, started: string): string {
  return createHash('sha256').update(`${identity} ${started}`).digest('base64url').slice(0, 16);
}
