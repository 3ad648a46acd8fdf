import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onMaintenanceDatabase } from '../test/support/database.js';

/** The server on which benchmarks create their databases; if absent, the embedded database is used. */
export const SERVER_URL = process.env['DATABASE_URL'];
export const DATABASE_KIND = SERVER_URL ? 'PostgreSQL' : 'embedded database';

/** The variables that connect the service to the benchmark's database. */
export interface BenchDatabase {
  DATA_DIR: string;
  DATABASE_URL?: string;
}

const open = new Set<() => Promise<void>>();

/** Creates a database, and drops it when `use` returns or throws, or when the process is interrupted. */
export async function withDatabase(use: (database: BenchDatabase) => Promise<void>): Promise<void> {
  const { database, drop } = await create();
  open.add(drop);
  try {
    await use(database);
  } finally {
    open.delete(drop);
    await drop();
  }
}

async function create(): Promise<{ database: BenchDatabase; drop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'w3k-bench-'));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  if (!SERVER_URL) return { database: { DATA_DIR: folder }, drop: async () => removeFolder() };
  const name = `w3k_bench_${randomBytes(6).toString('hex')}`;
  await onMaintenanceDatabase(SERVER_URL, `CREATE DATABASE ${name}`);
  const url = new URL(SERVER_URL);
  url.pathname = `/${name}`;
  return {
    database: { DATA_DIR: folder, DATABASE_URL: url.href },
    drop: async () => {
      await onMaintenanceDatabase(SERVER_URL, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      removeFolder();
    },
  };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    const exit = () => process.exit(130);
    Promise.allSettled([...open].map((drop) => drop())).then(exit, exit);
  });
}
