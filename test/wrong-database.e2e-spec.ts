import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { DatabaseLocation } from '../src/config/environment.js';
import { Database } from '../src/database/database.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { makeFolder, removeFolder } from './support/folders.js';
import { run } from './support/process.js';

const VISITOR = { create: false, migrate: false, join: true };
const COMMANDS = [['verify-audit'], ['revoke', '--api-key', `w3k_${'x'.repeat(20)}`], ['migrate']];

describe('a command whose environment is not that of the service', () => {
  let folder: string;
  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(() => removeFolder(folder));

  it('creates no database and no secrets, names where it looked, and fails', async () => {
    const dataDir = join(folder, 'data');
    const outcomes = await Promise.all(COMMANDS.map((args) => run(['dist/cli.js', ...args], { DATA_DIR: dataDir })));
    for (const { code, stdout, stderr } of outcomes) {
      expect([code, stdout]).toEqual([78, '']);
      expect(stderr).toContain(
        `Database: the embedded one in ${dataDir}\nDATA_DIR: there is no database in ${dataDir}`,
      );
    }
    expect(existsSync(dataDir)).toBe(false);
  });

  it('reads the .env in its working folder', async () => {
    writeFileSync(join(folder, '.env'), 'DATA_DIR=of-the-file\n');
    const { stdout } = await run(['dist/cli.js', 'session', '--owner', 'ann'], {}, folder);
    expect(stdout).toMatch(/^token {7}eyJ/m);
    expect(readdirSync(folder).toSorted()).toEqual(['.env', 'of-the-file']);
  });
});

describe('a command that does not migrate', () => {
  let database: TestDatabase;
  let location: DatabaseLocation;
  beforeEach(async () => {
    database = await createTestDatabase({ isEmpty: onServer });
    const { DATABASE_URL: url, DATA_DIR: dataDir } = database.variables;
    location = url ? { url } : { dataDir };
  });
  afterEach(() => database.drop());

  /** Queries it as the service would, after migrating. */
  const query = async (statement: string) => {
    const opened = await Database.open(location);
    try {
      return await opened.dataSource.query<{ name: string }[]>(statement);
    } finally {
      await opened.close();
    }
  };

  it('refuses a schema older than this version, and names the command that migrates it', async () => {
    await query(`DELETE FROM migrations WHERE name LIKE 'AddCascades%'`);
    await expect(Database.open(location, VISITOR)).rejects.toThrow(
      /missing: AddCascades\d+\)\. Update it: npm run keys -- migrate$/,
    );
    const { code, stdout, stderr } = await run(['dist/cli.js', 'verify-audit'], database.variables);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^The database's schema is older .*: npm run keys -- migrate\n$/m);
  });

  (onServer ? it : it.skip)('reports that the tables may not be read, rather than that they do not exist', async () => {
    const visitor = `visitor_${process.pid}`;
    await query(`CREATE ROLE ${visitor} LOGIN`);
    const url = new URL(String(database.variables.DATABASE_URL));
    url.username = visitor;
    try {
      for (const access of [VISITOR, undefined])
        await expect(Database.open({ url: url.href }, access)).rejects.toThrow(
          'permission denied for table migrations',
        );
    } finally {
      await query(`DROP ROLE ${visitor}`);
    }
  });

  (onServer ? it : it.skip)('refuses a database of another program, and leaves it unchanged', async () => {
    await expect(Database.open(location, VISITOR)).rejects.toThrow(
      'The database does not have the tables of this service. If it is the right database, create them: npm run keys -- migrate',
    );
    const client = new pg.Client({ connectionString: database.variables.DATABASE_URL });
    await client.connect();
    const { rows } = await client.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`);
    await client.end();
    expect(rows).toEqual([]);
  });
});

(onServer ? it : it.skip).each([
  ['api_keys', 'CREATE TABLE api_keys (x int)', 'relation "api_keys" already exists'],
  ['migrations', 'CREATE TABLE migrations (id text, applied boolean)', ''],
])("refuses to migrate a database where %s is another program's table", async (_, statement, words) => {
  const database = await createTestDatabase({ isEmpty: true });
  const client = new pg.Client({ connectionString: database.variables.DATABASE_URL });
  await client.connect();
  await client.query(statement);
  await client.end();
  const start = Database.open({ url: String(database.variables.DATABASE_URL) });
  await expect(start).rejects.toThrow(`The migrations conflict with existing tables (${words}`);
  await database.drop();
});
