import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirError } from '../config/start-error.js';

/** What PostgreSQL has in its folder from the first moment on, and does not make again. */
export const CLUSTER_PARTS = (
  'PG_VERSION global/pg_control base pg_commit_ts pg_dynshmem pg_logical pg_multixact pg_notify pg_replslot pg_serial ' +
  'pg_snapshots pg_stat pg_stat_tmp pg_subtrans pg_tblspc pg_twophase pg_wal pg_xact'
).split(' ');

/** Where in the data folder the database is. */
export function clusterIn(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/** Is made when the first start on a data folder has told what it had to: from then on there is a database. */
export function firstRunMarkIn(dataDir: string): string {
  return join(dataDir, 'welcomed');
}

/**
 * Whether the folder has a database. A folder of which a part is missing is left as it is: to make up for it silently
 * would be to begin with an empty database.
 *
 * @throws DataDirError if the database is not whole, or was there once and is gone
 */
export function hasDatabase(dataDir: string): boolean {
  const cluster = clusterIn(dataDir);
  if (!existsSync(cluster)) {
    if (!existsSync(firstRunMarkIn(dataDir))) return false;
    throw new DataDirError(`DATA_DIR: ${dataDir} had a database, and postgres/ is missing. ${ADVICE}`);
  }
  const missing = CLUSTER_PARTS.filter((part) => !existsSync(join(cluster, part)));
  if (missing.length === 0) return true;
  throw new DataDirError(`DATA_DIR: ${cluster} is no whole database: ${missing.join(', ')} missing. ${ADVICE}`);
}

const ADVICE = 'Restore the folder as a whole, or start on a new one; nothing was changed';
