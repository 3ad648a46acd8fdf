import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type ListenOptions } from 'node:net';
import { StartError } from '../config/start-error.js';
import type { ListenAddress } from './addresses.js';

/** For the user of the sidecar alone. */
const SOCKET_MODE = 0o600;

const REASONS: Record<string, string> = {
  EADDRINUSE: 'another process is listening there, or a file is there that is not a socket',
  EACCES: 'this user may not listen there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOENT: 'the folder does not exist',
};

/** Starts listening, on a Unix socket in place of a stale one. @returns the address. @throws StartError */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  try {
    if ('path' in address) return await listenOnSocket(server, address.path);
    await listenOn(server, address);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new StartError(`GUARD_LISTEN: ${REASONS[code] ?? message} (${code})`, { cause: error });
  }
  const { address: host, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`;
}

async function listenOnSocket(server: Server, path: string): Promise<string> {
  try {
    await listenOn(server, { path });
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (!isTaken || !(await isStale(path))) throw error;
    unlinkSync(path);
    await listenOn(server, { path });
  }
  chmodSync(path, SOCKET_MODE);
  return `unix:${path}`;
}

function listenOn(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whether a socket was left by a process that is gone: a socket outlives `kill -9`. */
function isStale(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}
