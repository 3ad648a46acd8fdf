import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './folders.js';
import { freePort } from './free-port.js';
import { type Addresses, changed, executableOf, type Gateway, startGateway } from './gateway-process.js';

/** The path of the Caddy that the gateways' tests run; without it they are skipped. */
export const CADDY_VARIABLE = 'TEST_CADDY';

/**
 * A Caddy of a test's own, configured by `deploy/Caddyfile`.
 *
 * @param mistakes replacements in that file
 */
export async function startCaddy({ keys, platform }: Addresses, mistakes: [string, string][] = []): Promise<Gateway> {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const port = await freePort();
  const text = changed('deploy/Caddyfile', [
    ['\n{\n', '\n{\n\tadmin off\n'],
    ['to 127.0.0.1:8000 127.0.0.1:8001', `to ${[keys].flat().join(' ')}`],
    ['reverse_proxy 127.0.0.1:9000', `reverse_proxy ${platform}`],
    ['\n:8080 {\n', `\n:${port} {\n\tbind 127.0.0.1\n`],
    ...mistakes,
  ]);
  writeFileSync(join(folder, 'Caddyfile'), text);
  copyFileSync('deploy/client-headers.caddyfile', join(folder, 'client-headers.caddyfile'));
  const args = ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return startGateway({ executable: executableOf(CADDY_VARIABLE, 'caddy'), args, folder, port, env });
}
