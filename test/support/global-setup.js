import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import { roomyFolder } from './roomy-folder.js';

/**
 * Makes an empty embedded database once, for the tests to copy: making one takes seconds. And a folder for
 * what the services log in the tests, which is searched for secrets at the end.
 */
export default async function setup() {
  const template = mkdtempSync(join(roomyFolder(), 'w3k-template-'));
  const database = await PGlite.create(join(template, 'postgres'), { loadDataDir: await dataDir() });
  await database.close();
  process.env.TEST_EMBEDDED_TEMPLATE = template;
  process.env.TEST_LOGS = mkdtempSync(join(roomyFolder(), 'w3k-logs-'));
}
