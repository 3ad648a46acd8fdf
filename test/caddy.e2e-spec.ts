import { CADDY_VARIABLE, startCaddy } from './support/caddy.js';
import { bodyWith, issueKey, pairHeaders } from './support/keys.js';
import { startPlatform } from './support/platform.js';
import { startService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const isInstalled = process.env[CADDY_VARIABLE] !== undefined;
if (!isInstalled)
  process.stderr.write(`Skipped: the behaviour of Caddy alone, which needs ${CADDY_VARIABLE}=<its path>\n`);

(isInstalled ? it : it.skip)(
  "lets no client choose a scope behind a Caddy that passes the client's query on",
  async () => {
    const service = await startService();
    const platform = await startPlatform();
    const keys = service.client.url.replace('http://', '');
    // As a plain `forward_auth` is written
    const mistakes: [string, string][] = [['import w3ipfs_authorize ?\n', 'import w3ipfs_authorize ""\n']];
    const gateway = await startCaddy({ keys, platform: platform.address }, mistakes);
    const lists = await issueKey(service.client, 'ann', bodyWith(['data.pin_list']));
    for (const credentials of [pairHeaders(lists), sessionOf('ann')]) {
      const { status, body } = await gateway.client.delete('/api/pinning/unpin/x?scope=data.pin_list', credentials);
      expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    }
    expect((await gateway.client.get('/api/pinning/pins', pairHeaders(lists))).status).toBe(200);
    await gateway.stop();
    await platform.stop();
    await service.stop();
  },
);
