import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { makeFolder, removeFolder, SERVER_VARIABLE, TEMPLATE_VARIABLE } from './folders.js';

/** A separate database for a test: the service's variables for it, and its removal. */
export interface TestDatabase {
  variables: { DATA_DIR: string; DATABASE_URL?: string };
  drop(): Promise<void>;
}

export const onServer = process.env[SERVER_VARIABLE] !== undefined;

/**
 * @param options.isEmpty without the schema, as always on a server, and without secrets
 * @param options.definition options of `CREATE DATABASE`, on a server
 */
export async function createTestDatabase({ isEmpty = false, definition = '' } = {}): Promise<TestDatabase> {
  const folder = makeFolder();
  const server = process.env[SERVER_VARIABLE];
  if (!isEmpty) fillFolder(folder);
  if (!server) {
    return { variables: { DATA_DIR: folder }, drop: async () => removeFolder(folder) };
  }
  const name = `w3k_test_${randomBytes(6).toString('hex')}`;
  await onMaintenanceDatabase(server, `CREATE DATABASE ${name} ${definition}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    variables: { DATA_DIR: folder, DATABASE_URL: url.href },
    drop: async () => {
      await onMaintenanceDatabase(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      removeFolder(folder);
    },
  };
}

/** Copies secrets, and the embedded database with the schema, into a folder: far cheaper than a first start there. */
export function fillFolder(folder: string): void {
  const template = process.env[TEMPLATE_VARIABLE] as string;
  // Node 24 does not copy the modes of folders
  const umask = process.umask(0o077);
  for (const part of onServer ? ['secrets.json'] : ['postgres', 'secrets.json'])
    cpSync(join(template, part), join(folder, part), { recursive: true });
  process.umask(umask);
}

export async function onMaintenanceDatabase(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}
