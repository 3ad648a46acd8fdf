import type { DataSource } from 'typeorm';
import type { DatabaseLocation } from '../config/environment.js';
import { createDataSource } from './data-source.js';
import { DataDirError, EmbeddedPostgres } from './embedded-postgres.js';
import { migrate } from './migrate.js';

/** The connection to the database and, in the embedded mode, the database itself. */
export class Database {
  private constructor(
    readonly dataSource: DataSource,
    /** The names of the migrations that opening it ran. */
    readonly migrated: readonly string[],
    private readonly embedded: EmbeddedPostgres | undefined,
  ) {}

  /**
   * Starts the embedded database where that is the location, connects, and runs the migrations.
   *
   * @throws DataDirError if another process has the data folder and `join` was not asked for
   */
  static async open(location: DatabaseLocation): Promise<Database> {
    const embedded = 'dataDir' in location ? await EmbeddedPostgres.start(location.dataDir) : undefined;
    if ('dataDir' in location && !embedded && !location.join) {
      throw new DataDirError(
        `DATA_DIR: another process is running on ${location.dataDir}; stop it, or give this one a folder of its own`,
      );
    }
    const dataSource = createDataSource(location);
    try {
      await dataSource.initialize();
      return new Database(dataSource, await migrate(dataSource), embedded);
    } catch (error) {
      await new Database(dataSource, [], embedded).close();
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.embedded?.stop();
  }
}
