import type { DataSource } from 'typeorm';
import type { DatabaseLocation } from '../src/config/environment.js';
import { createDataSource } from '../src/database/data-source.js';
import { Database } from '../src/database/database.js';
import { migrate } from '../src/database/migrate.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';

let testDatabase: TestDatabase;
let location: DatabaseLocation;
let database: Database;
let dataSource: DataSource;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  const { DATABASE_URL: url, DATA_DIR: dataDir } = testDatabase.variables;
  location = url ? { url } : { dataDir };
  database = await Database.open(location);
  ({ dataSource } = database);
});
afterEach(async () => {
  await database.close();
  await testDatabase.drop();
});

describe('the migrations', () => {
  it('make just the schema that the entities describe', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('go down again one by one, leaving nothing, and up to the same schema', async () => {
    const before = await schema();
    for (let index = 0; index < dataSource.migrations.length; index++) await dataSource.undoLastMigration();
    expect(await schema()).toEqual([]);
    await dataSource.runMigrations();
    expect(await schema()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  // The embedded database is one process's, which migrates before it lets others in
  (onServer ? it : it.skip)('are run once by processes that start together', async () => {
    for (let index = 0; index < dataSource.migrations.length; index++) await dataSource.undoLastMigration();
    const together = Array.from({ length: 4 }, () => migrate(location));
    expect((await Promise.all(together)).flat()).toHaveLength(dataSource.migrations.length);
  });

  /** Every column and index of our own tables, as the database itself describes them. */
  async function schema(): Promise<unknown[]> {
    return dataSource.query(`
      SELECT table_name AS "table", column_name AS name, data_type || is_nullable AS definition
      FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migrations'
      UNION ALL
      SELECT tablename, indexname, indexdef FROM pg_indexes
      WHERE schemaname = 'public' AND tablename <> 'migrations'
      ORDER BY 1, 2`);
  }
});

describe('several connections', () => {
  it('keep their transactions and their parameterised queries apart', async () => {
    await dataSource.query('CREATE TABLE scratch (id int PRIMARY KEY, note text)');
    const connections = [dataSource, await createDataSource(location).initialize()];
    const on = (index: number) => connections[index % 2] as DataSource;
    const wrong: number[] = [];
    await Promise.all(
      Array.from({ length: 300 }, async (_, index) => {
        if (index % 3 === 0) {
          const [row] = await on(index).query('SELECT $1::int AS id, $2::text AS note', [index, `note ${index}`]);
          if (row.id !== index || row.note !== `note ${index}`) wrong.push(index);
        } else if (index % 3 === 1) {
          await on(index).query('INSERT INTO scratch VALUES ($1, $2)', [index, 'alone']);
        } else {
          await insertInTransaction(on(index), index, index % 2 === 0);
        }
      }),
    );
    await connections[1]?.destroy();

    expect(wrong).toEqual([]);
    const [{ alone, committed, rolled_back }] = await dataSource.query(`
      SELECT count(*) FILTER (WHERE note = 'alone')::int AS alone,
             count(*) FILTER (WHERE note = 'commit')::int AS committed,
             count(*) FILTER (WHERE note = 'rollback')::int AS rolled_back
      FROM scratch`);
    expect({ alone, committed, rolled_back }).toEqual({ alone: 100, committed: 50, rolled_back: 0 });
  });

  async function insertInTransaction(connection: DataSource, id: number, commit: boolean): Promise<void> {
    const rollback = new Error('on purpose');
    await connection
      .transaction(async (tx) => {
        await tx.query('INSERT INTO scratch VALUES ($1, $2)', [id, commit ? 'commit' : 'rollback']);
        if (!commit) throw rollback;
      })
      .catch((error: unknown) => {
        if (error !== rollback) throw error;
      });
  }
});
