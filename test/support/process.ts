import { type ChildProcess, spawn } from 'node:child_process';
import { resolve as absolute } from 'node:path';
import { inBackground } from '../../src/background/background.js';
import { Client } from './client.js';
import { KeptLog } from './log.js';
import { accountService } from './sessions.js';
import { serviceVariables } from './verification.js';

/** The variables shared by processes with the same keys, sessions and services. */
export const sharedVariables = {
  JWT_PUBLIC_KEY: accountService.publicKey,
  CREDENTIAL_KEYS: Buffer.alloc(32, 7).toString('base64'),
  ...serviceVariables,
};

/** The built service as a process of its own, which tests can kill and restart. */
export interface ServiceProcess {
  client: Client;
  /** Everything it has printed so far. */
  output: () => string;
  /** Suspends it (SIGSTOP) until it is resumed. */
  pause(): void;
  resume(): void;
  /** Sends the signal. @returns its exit code or the signal that ended it */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** The same, after closing the client's connections. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** A command's output and exit code. */
export interface Outcome {
  code: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** The guide that the first start prints for its operator, with secrets: not part of the log, and announced as printed once. */
const FIRST_RUN_GUIDE = /This is the first start\.[^]*?-d '\{.*\}'/;

/** Starts `node dist/main.js` on a port of its own, and waits until it listens. */
export async function startProcess(variables: Record<string, string>): Promise<ServiceProcess> {
  const child = launch(['dist/main.js'], {
    PORT: '0',
    MANAGEMENT_RATE_LIMIT: '1000000',
    ...variables,
  });
  const output = collect(child);
  const ended = endOf(child);
  inBackground(
    'Keeping the output',
    ended.then(() => new KeptLog().keep('process', [output().replace(FIRST_RUN_GUIDE, '')])),
  );
  const listening = new Promise<string>((resolve) => {
    const look = () => {
      const url = /at (http:\/\/[\d.]+:\d+)/.exec(output())?.[1];
      if (!url) return;
      child.stdout?.off('data', look);
      resolve(url);
    };
    child.stdout?.on('data', look);
  });
  const url = await Promise.race([listening, ended.then(() => undefined)]);
  if (!url) throw new Error(`the service did not start:\n${output()}`);
  const client = new Client(url);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    client.close();
    return end(signal);
  };
  const pause = () => void child.kill('SIGSTOP');
  const resume = () => void child.kill('SIGCONT');
  return { client, output, pause, resume, end, stop };
}

/** Runs a built command until it exits. */
export async function run(args: string[], variables: Record<string, string>, folder?: string): Promise<Outcome> {
  const child = launch(args, variables, folder);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
    let text = '';
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return () => text;
  });
  const code = await endOf(child);
  return { code, stdout: stdout?.() ?? '', stderr: stderr?.() ?? '' };
}

/**
 * Without this process's environment, which may configure the service too, and without a developer's `.env`.
 *
 * @param args of node: options, a script in `dist` or `scripts`, and its arguments
 * @param folder its working folder
 */
export function launch(args: string[], variables: Record<string, string>, folder = 'dist'): ChildProcess {
  const inFolder = args.map((arg) => (/^(dist|scripts)\//.test(arg) ? absolute(arg) : arg));
  const env = { PATH: process.env['PATH'], ...variables };
  return spawn(process.execPath, inFolder, { env, cwd: folder, stdio: 'pipe' });
}

/** Everything that a process prints from now on, on both streams. */
export function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

export function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
}
