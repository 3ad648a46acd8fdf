import { Client } from './client.js';
import { collect, endOf, launch } from './process.js';
import { serviceToken } from './verification.js';

/** A service of `examples/` as a process of its own. */
export interface Example {
  client: Client;
  stop(): Promise<void>;
}

/** Starts `examples/<name>/server.ts` on a port of its own, and waits until it listens. @param url of the key service */
export async function startExample(name: string, url: string): Promise<Example> {
  const child = launch(
    ['--import', 'tsx', `examples/${name}/server.ts`],
    { API_KEYS_URL: url, API_KEYS_TOKEN: serviceToken, PORT: '0' },
    '.',
  );
  const output = collect(child);
  const ended = endOf(child);
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const [, found] = /at (http:\S+)\/pins/.exec(output()) ?? [];
      if (found) resolve(found);
    });
    child.on('close', () => reject(new Error(`the example did not start:\n${output()}`)));
  });
  const client = new Client(address);
  const stop = async () => {
    client.close();
    child.kill('SIGTERM');
    await ended;
  };
  return { client, stop };
}
