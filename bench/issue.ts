import { documentedBody, pairHeaders } from '../test/support/keys.js';
import { sessionOf } from '../test/support/sessions.js';
import { compare } from './compare.js';
import { JSON_TYPE, withService } from './service.js';

/** What it costs to issue a key, and to ask what a key is. */
await withService(async (service, key, database) => {
  const pair = pairHeaders(key);
  const session = sessionOf('bench');
  const issue = { method: 'POST', path: '/api/apiKeys/', body: JSON.stringify(documentedBody) } as const;
  const test = { method: 'GET', path: '/api/apiKeys/testAuthentication/' } as const;
  await compare(service, database, [
    { name: 'issue a key (session)', request: { ...issue, headers: { ...session, ...JSON_TYPE } } },
    { name: 'issue a key (admin key)', request: { ...issue, headers: { ...pair, ...JSON_TYPE } } },
    { name: 'testAuthentication (key)', request: { ...test, headers: pair } },
    { name: 'testAuthentication (session)', request: { ...test, headers: session } },
  ]);
});
