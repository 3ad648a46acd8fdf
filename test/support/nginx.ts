import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from './client.js';
import { makeFolder, removeFolder } from './folders.js';
import { freePort } from './free-port.js';
import { type Addresses, changed, executableOf, type Gateway, startGateway, unprivileged } from './gateway-process.js';

/** The path of the nginx that the gateways' tests run; without it they are skipped. */
export const NGINX_VARIABLE = 'TEST_NGINX';

/** An nginx of a test's own, configured by `deploy/nginx.conf`. */
export interface NginxGateway extends Gateway {
  /** The configuration of the platform's services. */
  inside: Client;
}

export async function startNginx(addresses: Addresses): Promise<NginxGateway> {
  const { folder, port, insidePort, args } = await configured(upstreams(addresses));
  const gateway = await startGateway({ executable: executable(), args, folder, port });
  const inside = new Client(`http://127.0.0.1:${insidePort}`);
  const stop = () => {
    inside.close();
    return gateway.stop();
  };
  return { ...gateway, inside, stop };
}

/** @throws if nginx would not start with the shipped configuration and these upstreams */
export async function checkNginx(upstreamsText: string): Promise<void> {
  const { folder, args } = await configured(upstreamsText);
  try {
    execFileSync(executable(), [...args, '-t'], { ...unprivileged, stdio: 'pipe' });
  } finally {
    removeFolder(folder);
  }
}

/** The files that `deploy/nginx.conf` reads from its folder, besides `upstreams.conf`. */
export const INCLUDED = includedFiles(['nginx.conf']).filter((name) => name !== 'upstreams.conf');

/** The files that these include, recursively. */
function includedFiles(files: string[]): string[] {
  const found = files.flatMap((file) =>
    [...readFileSync(join('deploy', file), 'utf8').matchAll(/^[^#\n]*\binclude (\S+);/gm)].map(([, name]) =>
      String(name),
    ),
  );
  return [...new Set([...found, ...(found.length > 0 ? includedFiles(found) : [])])];
}

/** A folder of the shipped files, and nginx's arguments to run there. */
async function configured(upstreamsText: string) {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const [port, insidePort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, insidePort));
  writeFileSync(join(folder, 'upstreams.conf'), upstreamsText);
  for (const included of INCLUDED) copyFileSync(join('deploy', included), join(folder, included));
  const directives = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`;
  const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', directives];
  return { folder, port, insidePort, args };
}

function executable(): string {
  return executableOf(NGINX_VARIABLE, 'nginx-light');
}

/** The shipped file, except its ports and the folders that need special rights. */
function configuration(folder: string, port: number, insidePort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi'].map(
    (one) => `${one}_temp_path ${folder}/${one};`,
  );
  return changed('deploy/nginx.conf', [
    ['http {', `http { access_log off; ${temporary.join(' ')}`],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['listen 8081;', `listen 127.0.0.1:${insidePort};`],
  ]);
}

/** The shipped file, with a test's addresses instead of the two processes of the key service that it lists. */
function upstreams({ keys, platform }: Addresses): string {
  const [first, ...others] = [keys].flat();
  const more = others.map((address) => `server ${address} max_fails=1 fail_timeout=1s;`).join('\n    ');
  return changed('deploy/upstreams.conf', [
    ['server 127.0.0.1:8000 ', `server ${first} `],
    ['server 127.0.0.1:8001 max_fails=1 fail_timeout=1s;', more],
    ['server 127.0.0.1:9000;', `server ${platform};`],
  ]);
}
