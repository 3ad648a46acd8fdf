import type { DataSource, EntityManager } from 'typeorm';

const BATCH_ROWS = 500;

/** The destination of a copy has rows. */
export class DatabaseNotEmptyError extends Error {}

/**
 * Copies all records, unchanged, into an empty database with the same schema, in one transaction; the hash chains of the
 * audit trails stay valid. Skips `key_changes`: no process has cached keys of the destination yet.
 *
 * @returns the number of rows copied, by table
 * @throws DatabaseNotEmptyError
 */
export function copyDatabase(from: DataSource, to: DataSource): Promise<Record<string, number>> {
  const tables = from.entityMetadatas.map(({ tableName }) => tableName).filter((table) => table !== 'key_changes');
  return from.transaction((source) =>
    to.transaction(async (destination) => {
      const counts: Record<string, number> = {};
      for (const table of tables) {
        await assertEmpty(destination, table);
        counts[table] = await copyTable(source, destination, table);
      }
      return counts;
    }),
  );
}

async function assertEmpty(destination: EntityManager, table: string): Promise<void> {
  const rows = (await destination.query(`SELECT FROM ${table} LIMIT 1`)) as unknown[];
  if (rows.length > 0)
    throw new DatabaseNotEmptyError(`The table ${table} of the database is not empty; import into an empty database.`);
}

/** As JSON that is not parsed here, to keep the precision of numbers and times. */
async function copyTable(source: EntityManager, destination: EntityManager, table: string): Promise<number> {
  await source.query(`DECLARE copied CURSOR FOR SELECT to_jsonb(t)::text AS row FROM ${table} AS t`);
  let count = 0;
  for (;;) {
    const rows = (await source.query(`FETCH ${BATCH_ROWS} FROM copied`)) as { row: string }[];
    if (rows.length === 0) break;
    const json = `[${rows.map(({ row }) => row).join(',')}]`;
    await destination.query(`INSERT INTO ${table} SELECT * FROM jsonb_populate_recordset(NULL::${table}, $1)`, [json]);
    count += rows.length;
  }
  await source.query('CLOSE copied');
  return count;
}
