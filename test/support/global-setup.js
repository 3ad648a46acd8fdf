import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';

/** Makes an empty embedded database once, for the tests to copy: making one takes seconds. */
export default async function setup() {
  const template = mkdtempSync(join(tmpdir(), 'w3k-template-'));
  const database = new PGlite(join(template, 'postgres'));
  await database.waitReady;
  await database.close();
  process.env.TEST_EMBEDDED_TEMPLATE = template;
}
