import { createServer } from 'node:http';
import { createGuard } from '@w3ipfs/api-keys-guard';
import type { GuardSetup } from '../guard-setup.js';

/** Guards that are not asked for anything; answers every request with the number of questions that they have asked. */
const { count, ...setup } = JSON.parse(process.argv[2] ?? '{}') as GuardSetup & { count: number };

const guards = Array.from({ length: count }, () => createGuard(setup));
await Promise.all(guards.map((guard) => guard.ready()));

const server = createServer((_, response) => {
  const notFresh = guards.find(({ state }) => state !== 'fresh');
  const asked = guards.reduce((sum, guard) => sum + guard.stats().asked, 0);
  response.writeHead(notFresh ? 500 : 200).end(notFresh ? `a guard is ${notFresh.state}` : String(asked));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') console.log(`at http://127.0.0.1:${address?.port}`);
});
