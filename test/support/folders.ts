import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { roomyFolder } from './roomy-folder.js';

/** Names the folder of an embedded database with nothing in it but the schema, which the global setup makes to be copied. */
export const TEMPLATE_VARIABLE = 'TEST_EMBEDDED_TEMPLATE';

/** Set to a server's URL, it moves all tests from the embedded database to new ones on that server. */
export const SERVER_VARIABLE = 'TEST_DATABASE_URL';

export function makeFolder(parent = roomyFolder()): string {
  return mkdtempSync(join(parent, 'w3k-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
