import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirError } from '../config/start-error.js';

/** Files and folders that PostgreSQL creates once, with its cluster. */
export const CLUSTER_PARTS = (
  'PG_VERSION global/pg_control base pg_commit_ts pg_dynshmem pg_logical pg_multixact pg_notify pg_replslot pg_serial ' +
  'pg_snapshots pg_stat pg_stat_tmp pg_subtrans pg_tblspc pg_twophase pg_wal pg_xact'
).split(' ');

/** The database's folder inside the data folder. */
export function clusterIn(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/** The file that marks a completed first start: from then on, the folder has a database. */
export function firstRunMarkIn(dataDir: string): string {
  return join(dataDir, 'welcomed');
}

/**
 * Whether the folder has a database. An incomplete folder is left unchanged: repairing it silently would create an empty
 * database.
 *
 * @throws DataDirError if the database is incomplete, or existed before and is missing
 */
export function hasDatabase(dataDir: string): boolean {
  const cluster = clusterIn(dataDir);
  if (!existsSync(cluster)) {
    if (!existsSync(firstRunMarkIn(dataDir))) return false;
    throw new DataDirError(`DATA_DIR: ${dataDir} had a database, but postgres/ is missing. ${ADVICE}`);
  }
  const missing = CLUSTER_PARTS.filter((part) => !existsSync(join(cluster, part)));
  if (missing.length === 0) return true;
  throw new DataDirError(`DATA_DIR: ${cluster} is an incomplete database: missing ${missing.join(', ')}. ${ADVICE}`);
}

const ADVICE = 'Restore the whole folder, or choose a new one; nothing was changed';
