import { describeAdapter } from '../../test/adapter-contract.js';
import { createFakeGuard } from '../../test/fake-guard.js';
import { call, serve } from '../../test/served.js';
import type { Guard, Required } from '../types.js';
import { authorize } from './index.js';

function start(guard: Guard, required: Required = { scope: 'pinning.unpin' }): Promise<string> {
  return serve((request, response) => {
    void respond().catch(() => response.writeHead(500).end());
    async function respond() {
      const verdict = await authorize(guard, request, response, required);
      if (verdict)
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ owner: verdict.ownerId }));
    }
  });
}

describeAdapter(start);

it('passes on the address and the cost that it is given', async () => {
  const guard = createFakeGuard();
  await call(await start(guard, { ip: '192.0.2.1:80', cost: 5 }));
  await call(await start(guard, { ip: 'unknown' }));
  expect(guard.asked.map(({ required }) => required)).toEqual([{ ip: '192.0.2.1', cost: 5 }, {}]);
});
