import { execFileSync, spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.js';
import { makeFolder, removeFolder } from './folders.js';
import { freePort } from './free-port.js';

/** Names the nginx that the gateway's tests run; without it they are left out. */
export const NGINX_VARIABLE = 'TEST_NGINX';

const NOBODY = 65_534;
const unprivileged = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** An nginx of a test's own, configured by `deploy/nginx.conf`. */
export interface Gateway {
  port: number;
  client: Client;
  /** What the platform's services use. */
  inside: Client;
  stop(): Promise<void>;
}

/** Where the processes of the key service and the platform are, `host:port`. */
interface Addresses {
  keys: string | [string, string];
  platform: string;
}

export async function startNginx(addresses: Addresses): Promise<Gateway> {
  const { folder, port, insidePort, args } = await configured(upstreams(addresses));
  const child = spawn(executable(), args, { ...unprivileged, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`nginx did not start:\n${output}`);
    await sleep(20);
  }
  const [client, inside] = [port, insidePort].map((one) => new Client(`http://127.0.0.1:${one}`)) as [Client, Client];
  const stop = async () => {
    client.close();
    inside.close();
    child.kill();
    await ended;
    removeFolder(folder);
  };
  return { port, client, inside, stop };
}

/** @throws where nginx would not start with the shipped configuration and these upstreams */
export async function checkNginx(upstreamsText: string): Promise<void> {
  const { folder, args } = await configured(upstreamsText);
  try {
    execFileSync(executable(), [...args, '-t'], { ...unprivileged, stdio: 'pipe' });
  } finally {
    removeFolder(folder);
  }
}

/** A folder of what is shipped, and how nginx is told to run there. */
async function configured(upstreamsText: string) {
  const folder = makeFolder();
  chmodSync(folder, 0o777);
  const [port, insidePort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, insidePort));
  writeFileSync(join(folder, 'upstreams.conf'), upstreamsText);
  for (const included of ['errors.conf', 'client-headers.conf'])
    copyFileSync(join('deploy', included), join(folder, included));
  const directives = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`;
  const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', directives];
  return { folder, port, insidePort, args };
}

function executable(): string {
  const nginx = process.env[NGINX_VARIABLE] ?? '';
  try {
    accessSync(nginx, constants.X_OK);
  } catch {
    throw new Error(`${NGINX_VARIABLE} is '${nginx}', which cannot be run. On Debian: apt-get install nginx-light`);
  }
  return nginx;
}

/** The file that is shipped, but for its ports and the folders that need a user's rights. */
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

/** The file that is shipped, with a test's addresses; one process of the key service alone is the only one listed. */
function upstreams({ keys, platform }: Addresses): string {
  const [first, second] = [keys].flat();
  return changed('deploy/upstreams.conf', [
    ['server 127.0.0.1:8000 ', `server ${first} `],
    ['server 127.0.0.1:8001 ', second ? `server ${second} ` : '# '],
    ['server 127.0.0.1:9000;', `server ${platform};`],
  ]);
}

function changed(file: string, changes: [string, string][]): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (text.split(from).length !== 2) throw new Error(`${file} does not have one '${from}'`);
      return text.replace(from, () => to);
    },
    readFileSync(file, 'utf8'),
  );
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
