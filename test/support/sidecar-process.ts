import { request } from 'node:http';
import { inBackground } from '../../src/background/background.js';
import { Client } from './client.js';
import { KeptLog } from './log.js';
import { collect, endOf, launch } from './process.js';
import { serviceToken, serviceVariables } from './verification.js';

/** The built sidecar as a process of its own. */
export interface SidecarProcess {
  /** For one that listens on a port. */
  client: Client;
  /** Everything it has printed so far. */
  output: () => string;
  /** @returns its exit code or the signal that ended it */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** The variables of a sidecar in front of the service at this URL, on a port of its own. */
export function sidecarVariables(url: string): Record<string, string> {
  return { GUARD_URL: url, GUARD_TOKEN: serviceToken, GUARD_LISTEN: '127.0.0.1:0', ...serviceVariables };
}

/** Starts `node dist/guard.js`, and waits until it listens. */
export async function startSidecar(variables: Record<string, string>): Promise<SidecarProcess> {
  const child = launch(['dist/guard.js'], variables);
  const output = collect(child);
  const ended = endOf(child);
  inBackground(
    'Keeping the output',
    ended.then(() => new KeptLog().keep('sidecar', [output()])),
  );
  const listening = new Promise<string>((resolve) => {
    child.stderr?.on('data', () => {
      const url = /guard at (\S+) /.exec(output())?.[1];
      if (url) resolve(url);
    });
  });
  const url = await Promise.race([listening, ended.then(() => undefined)]);
  if (!url) throw new Error(`the sidecar did not start:\n${output()}`);
  const client = new Client(url);
  return {
    client,
    output,
    stop: (signal = 'SIGTERM') => {
      client.close();
      child.kill(signal);
      return ended;
    },
  };
}

/** Sends a GET over a Unix socket. @returns the status */
export function statusOverSocket(socketPath: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, headers, agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}
