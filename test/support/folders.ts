import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { roomyFolder } from './roomy-folder.js';

/**
 * The folder that the global setup creates for tests to copy: with secrets, and unless tests run on a server, an embedded
 * database with the schema alone.
 */
export const TEMPLATE_VARIABLE = 'TEST_DATA_TEMPLATE';

/** Set to a server's URL, it runs all tests on new databases of that server instead of the embedded database. */
export const SERVER_VARIABLE = 'TEST_DATABASE_URL';

export function makeFolder(parent = roomyFolder()): string {
  return mkdtempSync(join(parent, 'w3k-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
