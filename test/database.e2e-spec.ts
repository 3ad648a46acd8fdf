import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { DatabaseLocation } from '../src/config/environment.js';
import { createDataSource } from '../src/database/data-source.js';
import { Database } from '../src/database/database.js';
import { migrate } from '../src/database/migrate.js';
import { range } from './support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { until } from './support/until.js';

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
  it('create exactly the schema that the entities describe', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('revert one by one, leaving nothing, and run again to the same schema', async () => {
    const before = await schema();
    for (let index = 0; index < dataSource.migrations.length; index++) await dataSource.undoLastMigration();
    expect(await schema()).toEqual([]);
    await dataSource.runMigrations();
    expect(await schema()).toEqual(before);
    expect(before.length).toBeGreaterThan(0);
  });

  // The embedded database belongs to one process, which migrates before others can connect
  (onServer ? it : it.skip)('run once when several processes start together', async () => {
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
  it('keep their transactions and parameterised queries separate', async () => {
    await dataSource.query('CREATE TABLE scratch (id int PRIMARY KEY, note text)');
    const pools = [openPool(), openPool()];
    const wrong: number[] = [];
    await Promise.all(
      range(300).map(async (index) => {
        const pool = pools[index % 2] as pg.Pool;
        if (index % 3 === 0) {
          const { rows } = await pool.query('SELECT $1::int AS id, $2::text AS note', [index, `note ${index}`]);
          if (rows[0].id !== index || rows[0].note !== `note ${index}`) wrong.push(index);
        } else if (index % 3 === 1) {
          await pool.query('INSERT INTO scratch VALUES ($1, $2)', [index, 'alone']);
        } else {
          await insertInTransaction(pool, index, index % 4 < 2 ? 'COMMIT' : 'ROLLBACK');
        }
      }),
    );
    await Promise.all(pools.map((pool) => pool.end()));

    expect(wrong).toEqual([]);
    const rows = await dataSource.query(
      'SELECT note, count(*)::int AS count FROM scratch GROUP BY note ORDER BY note COLLATE "C"',
    );
    expect(rows).toEqual([
      { note: 'COMMIT', count: 50 },
      { note: 'alone', count: 100 },
    ]);
  });

  // The embedded database serves one connection at a time: a sleeping query would block all others
  (onServer ? it : it.skip)('are not reused after a query timed out', async () => {
    const impatient = createDataSource(location, [], { queryTimeoutMs: 1_000 });
    await impatient.initialize();
    await dataSource.query('CREATE TABLE unanswered (id int)');
    const late = impatient.transaction(async (tx) => {
      await tx.query('INSERT INTO unanswered VALUES (1)');
      // Like a frozen server, it does not cancel the query by itself
      await tx.query('SET LOCAL statement_timeout = 0');
      await tx.query('SELECT pg_sleep(3)');
    });
    await expect(late).rejects.toThrow(/Query read timeout|Connection terminated/);
    const isAtWork = async () => {
      const [{ count }] = await dataSource.query(
        `SELECT count(*)::int FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'active' AND query = 'SELECT pg_sleep(3)'`,
      );
      return count > 0;
    };
    await until(async () => !(await isAtWork()), 'the query to end');
    // As many as the pool has connections: a reused one would see the uncommitted row
    const counts = await Promise.all(range(10).map(() => impatient.query('SELECT count(*)::int FROM unanswered')));
    expect(counts).toEqual(range(10).map(() => [{ count: 0 }]));
    await impatient.destroy();
  });

  /** The bare driver: it sends a query the moment its connection is free, which is when queries would collide. */
  function openPool(): pg.Pool {
    const target =
      'url' in location ? { connectionString: location.url } : { host: location.dataDir, user: 'postgres' };
    const pool = new pg.Pool({ database: 'postgres', max: 8, ...target });
    // The server may end a connection that the pool is closing, when the database is dropped
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }

  async function insertInTransaction(pool: pg.Pool, id: number, end: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const connection = await pool.connect();
    await connection.query('BEGIN');
    await connection.query('INSERT INTO scratch VALUES ($1, $2)', [id, end]);
    await connection.query(end);
    connection.release();
  }
});
