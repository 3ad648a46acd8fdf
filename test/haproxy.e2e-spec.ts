import { freePort } from './support/free-port.js';
import { HAPROXY_VARIABLE, startHaproxy } from './support/haproxy.js';
import { type SmallServer, startPlatform, startServer } from './support/platform.js';

const isInstalled = process.env[HAPROXY_VARIABLE] !== undefined;
if (!isInstalled)
  process.stderr.write(`Skipped: the behaviour of HAProxy alone, which needs ${HAPROXY_VARIABLE}=<its path>\n`);
const withHaproxy = isInstalled ? describe : describe.skip;

withHaproxy('HAProxy', () => {
  let keys: SmallServer;
  let platform: SmallServer;
  beforeAll(async () => {
    keys = await startServer((_, response) => void response.writeHead(500).end('{}'));
    platform = await startPlatform();
  });
  afterAll(async () => {
    await keys?.stop();
    await platform?.stop();
  });

  // HAProxy continues after a failed action
  it.each([
    ['fails', "error('broken')"],
    ['answers nothing', 'return'],
  ])('lets nothing pass if the script %s', async (_, first) => {
    const changes: [string, string][] = [
      ['local function authorize(txn, query)\n', `local function authorize(txn, query)\n  do ${first} end\n`],
    ];
    const gateway = await startHaproxy({ keys: keys.address, platform: platform.address }, changes);
    for (const path of ['/api/pinning/pins', '/api/users/7']) {
      const { status, body } = await gateway.client.get(path, { 'x-w3ipfs-owner': 'forged' });
      expect([status, body.error.code]).toEqual([503, 'unavailable']);
    }
    await gateway.stop();
  });

  it.each([
    ['does not understand', () => keys.address],
    ['does not reach', async () => `127.0.0.1:${await freePort()}`],
  ])('lets nothing pass if it %s the key service', async (_, address) => {
    const gateway = await startHaproxy({ keys: await address(), platform: platform.address });
    const { status, body } = await gateway.client.get('/api/pinning/pins');
    expect([status, body.error.code]).toEqual([503, 'unavailable']);
    await gateway.stop();
  });
});
