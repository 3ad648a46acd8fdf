import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { roomyFolder } from './roomy-folder.js';

/** Creates what a start creates in DATA_DIR: the secrets, and the database with its schema. */
const MAKE = `
  import { loadEnvironment } from './dist/configuration.js';
  import { Database } from './dist/database/database.js';
  const database = await Database.open(loadEnvironment(process.env).database);
  await database.close();
`;

/**
 * Creates an embedded database with the schema once, for tests to copy, if any tests need it: creating one
 * takes seconds. Also creates a folder for the services' logs, which is searched for secrets at the end.
 */
export default function setup(_, { roots }) {
  process.env.TEST_LOGS = mkdtempSync(join(roomyFolder(), 'w3k-logs-'));
  const isForUnitsAlone = roots.every((root) => root.endsWith('src'));
  if (isForUnitsAlone || process.env.TEST_DATABASE_URL) return;
  const template = mkdtempSync(join(roomyFolder(), 'w3k-template-'));
  process.env.TEST_EMBEDDED_TEMPLATE = template;
  const env = { PATH: process.env.PATH, DATA_DIR: template };
  execFileSync(process.execPath, ['--input-type=module', '--eval', MAKE], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  reduceBuffers(join(template, 'postgres', 'postgresql.conf'));
}

/** Every start clears all buffers: a quarter of the default is enough for tests, and starts a third faster. */
function reduceBuffers(file) {
  const settings = readFileSync(file, 'utf8');
  writeFileSync(file, settings.replace(/^shared_buffers = 128MB/m, 'shared_buffers = 32MB'));
}
