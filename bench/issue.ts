import { documentedBody, type IssuedKey, pairHeaders } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import { compare } from './compare.js';
import { withDatabase } from './database.js';
import type { Measured } from './process.js';
import { JSON_TYPE } from './requests.js';
import { startService } from './service.js';
import { printMachine } from './table.js';

/** Measures issuing a key, and reading one. */
printMachine();
await withDatabase(async (database) => {
  const service = await startService(database, { MANAGEMENT_RATE_LIMIT: '1000000' });
  try {
    await measure(service, await issueOne(service));
  } finally {
    await service.stop();
  }
});

async function issueOne({ url }: Measured): Promise<IssuedKey> {
  const headers = { ...sessionOf('bench'), ...JSON_TYPE };
  const body = JSON.stringify(documentedBody);
  const created = await fetch(`${url}/api/apiKeys/`, { method: 'POST', headers, body });
  return ((await created.json()) as { data: IssuedKey }).data;
}

async function measure(service: Measured, key: IssuedKey): Promise<void> {
  const pair = pairHeaders(key);
  const session = sessionOf('bench');
  const issue = { method: 'POST', path: '/api/apiKeys/', body: JSON.stringify(documentedBody) } as const;
  // Not testAuthentication, which has its own rate limit
  const read = { method: 'GET', path: `/api/apiKeys/${key.id}` } as const;
  const expects = 'success';
  await compare('Issuing and reading', service, [
    { name: 'issue a key (session)', request: { ...issue, headers: { ...session, ...JSON_TYPE } }, expects },
    { name: 'issue a key (admin key)', request: { ...issue, headers: { ...pair, ...JSON_TYPE } }, expects },
    { name: 'read a key (admin key)', request: { ...read, headers: pair }, expects },
    { name: 'read a key (session)', request: { ...read, headers: session }, expects },
  ]);
}
