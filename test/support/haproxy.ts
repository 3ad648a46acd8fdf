import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folders.js';
import { freePort } from './free-port.js';
import { type Addresses, changed, executableOf, type Gateway, startGateway } from './gateway-process.js';

/** The path of the HAProxy that the gateways' tests run; without it they are skipped. */
export const HAPROXY_VARIABLE = 'TEST_HAPROXY';

/**
 * An HAProxy of a test's own, configured by `deploy/haproxy.cfg`.
 *
 * @param luaChanges replacements in its script
 */
export async function startHaproxy(
  { keys, platform }: Addresses,
  luaChanges: [string, string][] = [],
): Promise<Gateway> {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const [port, askPort] = [await freePort(), await freePort()];
  const [first, second] = [keys].flat();
  const text = changed('deploy/haproxy.cfg', [
    ['/etc/haproxy/haproxy.lua', join(folder, 'haproxy.lua')],
    ['setenv W3IPFS_AUTHORIZE 127.0.0.1:8082', `setenv W3IPFS_AUTHORIZE 127.0.0.1:${askPort}`],
    ['bind :8080 ', `bind 127.0.0.1:${port} `],
    ['server keys-1 127.0.0.1:8000', `server keys-1 ${first}`],
    ['server keys-2 127.0.0.1:8001', second ? `server keys-2 ${second}` : ''],
    ['server platform 127.0.0.1:9000', `server platform ${platform}`],
  ]);
  writeFileSync(join(folder, 'haproxy.cfg'), text);
  writeFileSync(join(folder, 'haproxy.lua'), changed('deploy/haproxy.lua', luaChanges));
  const args = ['-db', '-f', join(folder, 'haproxy.cfg')];
  return startGateway({ executable: executableOf(HAPROXY_VARIABLE, 'haproxy'), args, folder, port });
}
