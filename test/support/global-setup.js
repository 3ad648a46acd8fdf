import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePrivateKey } from './account-key.js';
import { roomyFolder } from './roomy-folder.js';

/** Creates what a start creates in DATA_DIR: the secrets, */
const MAKE_SECRETS = `
  import { loadEnvironment } from './dist/configuration.js';
  const environment = loadEnvironment(process.env);
`;
/** and the database with its schema. */
const MAKE_DATABASE = `
  import { Database } from './dist/database/database.js';
  const database = await Database.open(environment.database);
  await database.close();
`;

/**
 * Creates what takes long to create, once, for tests to copy: the account service's key; and if any tests start services,
 * their secrets and an embedded database with the schema. Also creates a folder for the services' logs, which is searched
 * for secrets at the end.
 */
export default function setup(_, { roots }) {
  process.env.TEST_LOGS = mkdtempSync(join(roomyFolder(), 'w3k-logs-'));
  process.env.TEST_ACCOUNT_KEY = generatePrivateKey();
  const isForUnitsAlone = roots.every((root) => root.endsWith('src'));
  if (isForUnitsAlone) return;
  const template = mkdtempSync(join(roomyFolder(), 'w3k-template-'));
  process.env.TEST_DATA_TEMPLATE = template;
  if (process.env.TEST_DATABASE_URL) return evaluate(MAKE_SECRETS, template);
  evaluate(MAKE_SECRETS + MAKE_DATABASE, template);
  reduceBuffers(join(template, 'postgres', 'postgresql.conf'));
}

function evaluate(program, dataDir) {
  execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Every start clears all buffers: a quarter of the default is enough for tests, and starts a third faster. */
function reduceBuffers(file) {
  const settings = readFileSync(file, 'utf8');
  writeFileSync(file, settings.replace(/^shared_buffers = 128MB/m, 'shared_buffers = 32MB'));
}
