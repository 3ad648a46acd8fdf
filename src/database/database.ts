import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { DatabaseLocation } from '../config/environment.js';
import { DataDirError } from '../config/start-error.js';
import { startStep } from '../config/start-steps.js';
import { createDataSource, type Entities, type PoolSettings } from './data-source.js';
import { isDatabaseUnavailable } from './database-unavailable.js';
import { EmbeddedPostgres } from './embedded-postgres.js';
import { DedicatedConnection } from './dedicated-connection.js';
import { migrate } from './migrate.js';
import { assertMigrated } from './pending-migrations.js';
import { connectionOptions, SafeClient, type StatementLimits } from './safe-client.js';

/** For key management and statistics. A slower query would be answered too late for its caller. */
const MANAGEMENT_POOL = { size: 8, queryTimeoutMs: 5_000, lockTimeoutMs: 3_000 };
/** For verification (uses and hashes), so that it never waits for management; keys are read on dedicated connections. */
const VERIFICATION_POOL = { size: 5, queryTimeoutMs: 5_000, lockTimeoutMs: 3_000 };
/** Interval and maximum number of a command's attempts to join the process that has the data folder open. */
const JOIN_PAUSE_MS = 200;
const MAX_JOINS = 50;

/** What `Database.open()` may do. */
export interface OpenOptions {
  /** Create the embedded database if there is none. */
  create: boolean;
  /** Run pending migrations; a newly created database is always migrated. */
  migrate: boolean;
  /** Use the embedded database that another process serves in the data folder. */
  join: boolean;
  /** The entity classes of rows. */
  entities: Entities;
}

const DEFAULTS: OpenOptions = { create: true, migrate: true, join: false, entities: [] };

interface Pools {
  management: DataSource;
  verification: DataSource;
}

/** The connections to the database and, in the embedded mode, the database itself. */
export class Database {
  private constructor(
    private readonly location: DatabaseLocation,
    private readonly pools: Pools,
    /** The names of the migrations that `open()` ran. */
    readonly migrated: readonly string[],
    private readonly embedded: EmbeddedPostgres | undefined,
  ) {}

  /** The pool for everything but verification. */
  get dataSource(): DataSource {
    return this.pools.management;
  }

  get verificationPool(): DataSource {
    return this.pools.verification;
  }

  /** A connection outside of the pools, which opens on first use. */
  dedicated(limits: StatementLimits, prepare?: (client: SafeClient) => Promise<unknown>): DedicatedConnection {
    const options = connectionOptions(this.location, limits);
    return new DedicatedConnection(() => new SafeClient(options), prepare);
  }

  /**
   * Starts the embedded database if the location is a folder, runs the migrations, and connects.
   *
   * @param given of a command, which may do less than the service
   * @throws DataDirError if another process has the data folder open and cannot or must not be joined, or if the folder
   *   has no database and none may be created
   * @throws StartError if migrations are pending and may not be run
   */
  static async open(location: DatabaseLocation, given: Partial<OpenOptions> = {}): Promise<Database> {
    const options = { ...DEFAULTS, ...given };
    if ('url' in location) return Database.prepare(location, options);
    for (let joins = 0; joins < MAX_JOINS; joins++) {
      const embedded = await startEmbedded(location.dataDir, options.create);
      if (embedded) return Database.openEmbedded(location, options, embedded);
      if (!options.join) break;
      // The other process may be starting and about to serve its database, or stopping and about to release the folder
      const joined = await Database.prepare(location, options).catch(ignoreUnavailable);
      if (joined) return joined;
      await sleep(JOIN_PAUSE_MS);
    }
    throw new DataDirError(`DATA_DIR: another process is using ${location.dataDir}; stop it, or choose another folder`);
  }

  async close(): Promise<void> {
    await this.closePools();
    await this.embedded?.stop();
  }

  private async closePools(): Promise<void> {
    await Promise.all([this.pools.management.destroy(), this.pools.verification.destroy()]);
  }

  private static async openEmbedded(location: DatabaseLocation, options: OpenOptions, embedded: EmbeddedPostgres) {
    try {
      return await Database.prepare(location, { ...options, migrate: options.migrate || embedded.isNew }, embedded);
    } catch (error) {
      await embedded.stop();
      throw error;
    }
  }

  /** Migrates if allowed, and connects; the schema is then that of this version. */
  private static async prepare(
    location: DatabaseLocation,
    { migrate: mayMigrate, entities }: OpenOptions,
    embedded?: EmbeddedPostgres,
  ) {
    const migrated = mayMigrate ? await migrateFirst(location) : [];
    const database = new Database(location, await openPools(location, entities), migrated, embedded);
    try {
      if (!mayMigrate) await assertMigrated(database.dataSource);
      return database;
    } catch (error) {
      await database.closePools();
      throw error;
    }
  }
}

function startEmbedded(dataDir: string, mayCreate: boolean): Promise<EmbeddedPostgres | undefined> {
  return startStep(`the embedded database in ${dataDir}`, EmbeddedPostgres.start(dataDir, mayCreate));
}

function migrateFirst(location: DatabaseLocation): Promise<string[]> {
  return startStep('the database', migrate(location));
}

async function openPools(location: DatabaseLocation, entities: Entities): Promise<Pools> {
  const open = (settings: PoolSettings) => createDataSource(location, entities, settings).initialize();
  const opening = Promise.allSettled([open(MANAGEMENT_POOL), open(VERIFICATION_POOL)]);
  const [management, verification] = await startStep('connections to the database', opening);
  if (management.status === 'fulfilled' && verification.status === 'fulfilled')
    return { management: management.value, verification: verification.value };
  for (const pool of [management, verification]) if (pool.status === 'fulfilled') await pool.value.destroy();
  throw management.status === 'rejected' ? management.reason : (verification as PromiseRejectedResult).reason;
}

function ignoreUnavailable(error: unknown): undefined {
  if (!isDatabaseUnavailable(error)) throw error;
}
