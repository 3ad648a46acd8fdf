import { type IssuedKey, pairHeaders } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import { compare } from './compare.js';
import { withDatabase } from './database.js';
import type { Measured } from './process.js';
import { issue, issueOne, read } from './requests.js';
import { startService } from './service.js';
import { printMachine } from './table.js';

const OWNER = 'bench';

/** Measures issuing a key, and reading one. */
printMachine();
await withDatabase(async (database) => {
  const service = await startService(database, { MANAGEMENT_RATE_LIMIT: '1000000' });
  try {
    await measure(service, await issueOne(service, OWNER));
  } finally {
    await service.stop();
  }
});

async function measure(service: Measured, key: IssuedKey): Promise<void> {
  const [pair, session] = [pairHeaders(key), sessionOf(OWNER)];
  // Not testAuthentication, which has its own rate limit
  const path = `/api/apiKeys/${key.id}`;
  await compare('Issuing and reading', service, [
    issue('issue a key (session)', session),
    issue('issue a key (admin key)', pair),
    read('read a key (admin key)', path, pair),
    read('read a key (session)', path, session),
  ]);
}
