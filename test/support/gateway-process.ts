import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from './client.js';
import { removeFolder } from './folders.js';

/** A gateway of a test's own, configured by what is in `deploy/`. */
export interface Gateway {
  port: number;
  client: Client;
  stop(): Promise<void>;
}

/** The addresses of the key service's processes and of the platform, `host:port`. */
export interface Addresses {
  keys: string | string[];
  platform: string;
}

/** How to start a gateway in a folder of its own, which is removed when it stops. */
interface Launch {
  executable: string;
  args: string[];
  folder: string;
  port: number;
  env?: Record<string, string>;
}

const NOBODY = 65_534;
/** Started by root, they would switch to a user that cannot read the folder. */
export const unprivileged = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export async function startGateway({ executable, args, folder, port, env = {} }: Launch): Promise<Gateway> {
  const child = spawn(executable, args, {
    ...unprivileged,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${executable} did not start:\n${output}`);
    await sleep(20);
  }
  const client = new Client(`http://127.0.0.1:${port}`);
  const stop = async () => {
    client.close();
    child.kill();
    await ended;
    removeFolder(folder);
  };
  return { port, client, stop };
}

/** The program in a variable. */
export function executableOf(variable: string, debianPackage: string): string {
  const path = process.env[variable] ?? '';
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`${variable} is '${path}', which cannot be run. On Debian: apt-get install ${debianPackage}`);
  }
  return path;
}

/** A shipped file with replacements, each of text that occurs once. */
export function changed(file: string, changes: [string, string][]): string {
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
