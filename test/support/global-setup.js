import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

/**
 * Makes an empty embedded database once, for the tests to copy: making one takes seconds. And a folder for
 * what the services log in the tests, which is searched for secrets at the end.
 */
export default async function setup() {
  const template = mkdtempSync(join(tmpdir(), 'w3k-template-'));
  const database = new PGlite(join(template, 'postgres'));
  await database.waitReady;
  await database.close();
  process.env.TEST_EMBEDDED_TEMPLATE = template;
  process.env.TEST_LOGS = mkdtempSync(join(tmpdir(), 'w3k-logs-'));
}
