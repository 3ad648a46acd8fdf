import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** One request of a flood. */
export interface FloodRequest {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** The number of answers by status; `error` if the connection closed first. */
export type Statuses = Record<string, number>;

/**
 * Repeats requests over this many connections, each as soon as it is answered, from a separate process; resolves once it
 * was answered as often as it has connections.
 */
export async function startFlood(
  url: string,
  connections: number,
  requests: FloodRequest[],
): Promise<() => Promise<Statuses>> {
  const order = JSON.stringify({ url, connections, requests });
  const child = spawn(process.execPath, ['test/support/flood-client.js'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(order);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout, 'data');
  return async () => {
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
    return JSON.parse(output) as Statuses;
  };
}
