import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A server that is measured: where it listens, and the processor time that it has used. */
export interface Measured {
  url: string;
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts a server as a process of its own and waits for the line that says where it listens. */
export async function startMeasured(args: string[], variables: Record<string, string>): Promise<Measured> {
  const child = launch(args, { LOG_LEVEL: 'info', PORT: '0', ...variables });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    url: await listeningUrl(child),
    cpuSeconds: () => cpuSeconds(child.pid),
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed
 * @throws Error if it could not be started, or did not end well
 */
export function run(command: string, args: string[], variables: Record<string, string> = {}): Promise<string> {
  const child = launch(args, variables, command);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))));
  });
}

/** Runs one of the programs of `processes/`, which prints one line of JSON. */
export async function runProgram<T>(
  name: string,
  argument: string,
  variables: Record<string, string>,
  flags: string[] = [],
): Promise<T> {
  const args = [...flags, '--import', 'tsx', `bench/processes/${name}.ts`, argument];
  return JSON.parse(await run(process.execPath, args, { LOG_LEVEL: 'error', ...variables })) as T;
}

/** With nothing of this process's own environment, which may configure the service too. */
function launch(args: string[], variables: Record<string, string>, command = process.execPath): ChildProcess {
  const env = { PATH: process.env['PATH'], ...variables };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

const running = new Set<ChildProcess>();

/** Nothing that was started here outlives this process. */
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /at (http:\/\/[\d.]+:\d+)/.exec(text)?.[1];
      if (url) resolve(url);
    });
    child.on('close', () => reject(new Error('the server ended before it listened')));
  });
}

/** User and system time of the process (proc(5), fields 14 and 15, in ticks of 10 ms); Linux only. */
export function cpuSeconds(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}
