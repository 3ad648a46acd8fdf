import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A server under test: its address, and the CPU time that it has used. */
export interface Measured {
  url: string;
  cpuSeconds(): number;
  /** The same, to the nanosecond, of the threads that run now. */
  threadSeconds(): number;
  stop(): Promise<void>;
}

/** Starts a server as a child process and waits for the line with its address. */
export async function startMeasured(args: string[], variables: Record<string, string>): Promise<Measured> {
  const child = launch(args, { LOG_LEVEL: 'info', PORT: '0', ...variables });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  return {
    url: await listeningUrl(child),
    cpuSeconds: () => cpuSeconds(child.pid),
    threadSeconds: () => threadSeconds(child.pid),
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output
 * @throws Error if it cannot be started, or exits with another code than 0
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

/** Without the environment of this process, which might configure the service. */
function launch(args: string[], variables: Record<string, string>, command = process.execPath): ChildProcess {
  const env = { PATH: process.env['PATH'], ...variables };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

const running = new Set<ChildProcess>();

/** Kills child processes when this process exits. */
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

/** User and system time of a process; NaN if it does not exist. Linux only. */
function cpuSeconds(pid: number | undefined): number {
  return secondsOf(pid, USER, SYSTEM);
}

/** The first figure of each `/proc/<pid>/task/<thread>/schedstat`: nanoseconds on a core. Linux only. */
function threadSeconds(pid: number | undefined): number {
  const folder = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(folder).map((id) =>
    Number.parseInt(readFileSync(`${folder}/${id}/schedstat`, 'utf8')),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

/** CPU time of a process and of all its children, including finished ones. */
export function cpuSecondsWithChildren(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  // The parent last: it includes children that have ended since the list was read
  const times = children.map((child) => cpuSeconds(child) || 0);
  return times.reduce((sum, seconds) => sum + seconds, 0) + secondsOf(pid, USER, SYSTEM, ENDED_USER, ENDED_SYSTEM);
}

export function parentOf(pid: number): number {
  return Number(statOf(pid)[PARENT]);
}

/** Fields of `/proc/<pid>/stat` as proc(5) numbers them; times are in ticks of 10 ms. */
const [PARENT, USER, SYSTEM, ENDED_USER, ENDED_SYSTEM] = [4, 14, 15, 16, 17] as const;

function secondsOf(pid: number | undefined, ...fields: number[]): number {
  const stat = statOf(pid);
  return fields.reduce((sum, field) => sum + Number(stat[field]), 0) / 100;
}

/** The fields by their numbers; the third is the first after the name in brackets. Empty without the process. */
function statOf(pid: number | undefined): string[] {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
    return ['', '', '', ...afterName.split(' ')];
  } catch {
    return [];
  }
}
