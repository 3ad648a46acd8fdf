import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import dataSource from '../ormconfig.js';
import { EX_USAGE } from '../src/operations/lifecycle/exit.js';

/*
 * Takes the last migration back, and what it has made with all that is in it: says what that is, and does it with `--yes`.
 */
await dataSource.initialize();
process.exitCode = await revert(dataSource, process.argv.includes('--yes'));
await dataSource.destroy();
// The embedded database would go on to serve
process.exit();

async function revert(database: DataSource, isConfirmed: boolean): Promise<number> {
  const [last] = (await database.query('SELECT name FROM migrations ORDER BY id DESC LIMIT 1')) as [{ name: string }?];
  if (!last) return tell('No migration has been run on it.');
  const migration = database.migrations.find((one) => (one.name ?? one.constructor.name) === last.name);
  if (!migration) return tell(`${last.name}, the last one, is of another version: revert it with that.`, EX_USAGE);
  const drops = await dropsOf(migration, database);
  tell([`To revert ${last.name} drops, with all that is in them:`, ...drops.map((drop) => `  ${drop}`)].join('\n'));
  if (!isConfirmed) return tell('Nothing is done yet. To do it: npm run migration:revert -- --yes', EX_USAGE);
  await database.undoLastMigration({ transaction: 'each' });
  return tell('It is reverted.');
}

/** What the way down drops, by its statements, none of which is run. */
async function dropsOf(migration: MigrationInterface, database: DataSource): Promise<string[]> {
  const statements: string[] = [];
  await migration.down({ query: async (text: string) => void statements.push(text) } as unknown as QueryRunner);
  const drops = statements.flatMap((text) => {
    const [, table] = /ALTER TABLE "(\w+)"/.exec(text) ?? [];
    const found = text.matchAll(/DROP (TABLE|INDEX|COLUMN)? ?"(\w+)"/g);
    return [...found].map(([, kind = 'COLUMN', name]) => ({ kind, name: table ? `${table}.${name}` : `${name}` }));
  });
  return Promise.all(
    drops.map(async ({ kind, name }) => {
      const rows = kind === 'TABLE' ? ` (${await countRows(database, name)} rows)` : '';
      return `${kind.toLowerCase()} ${name}${rows}`;
    }),
  );
}

async function countRows(database: DataSource, table: string): Promise<number> {
  const [{ count }] = (await database.query(`SELECT count(*)::int FROM "${table}"`)) as [{ count: number }];
  return count;
}

/** @returns the exit code that goes with it */
function tell(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}
