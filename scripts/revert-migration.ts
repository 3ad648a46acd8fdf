import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import dataSource from '../ormconfig.js';
import { EX_USAGE } from '../src/operations/lifecycle/exit.js';

/*
 * Reverts the last migration: lists what that drops, with its content, and does it only with `--yes`.
 */
await dataSource.initialize();
process.exitCode = await revert(dataSource, process.argv.includes('--yes'));
await dataSource.destroy();
// Otherwise the embedded database would keep the process running
process.exit();

async function revert(database: DataSource, isConfirmed: boolean): Promise<number> {
  const [last] = (await database.query('SELECT name FROM migrations ORDER BY id DESC LIMIT 1')) as [{ name: string }?];
  if (!last) return report('No migration has been run on it.');
  const migration = database.migrations.find((one) => (one.name ?? one.constructor.name) === last.name);
  if (!migration) return report(`${last.name}, the last one, is of another version: revert it with that.`, EX_USAGE);
  const drops = await dropsOf(migration, database);
  report([`To revert ${last.name} drops, with all that is in them:`, ...drops.map((drop) => `  ${drop}`)].join('\n'));
  if (!isConfirmed) return report('Nothing is done yet. To do it: npm run migration:revert -- --yes', EX_USAGE);
  await database.undoLastMigration({ transaction: 'each' });
  return report('It is reverted.');
}

/** What reverting the migration drops, read from its statements without running them. */
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

/** Prints a text. @returns the exit code */
function report(text: string, code = 0): number {
  process.stdout.write(`${text}\n`);
  return code;
}
