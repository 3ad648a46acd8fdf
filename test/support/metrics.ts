import type { Client } from './client.js';
import { serviceHeaders } from './verification.js';

/** What a service says of itself now, by a metric's full name, with its labels where it has any; NaN where it does not. */
export async function metricOf(client: Client, name: string): Promise<number> {
  const { text } = await client.get('/metrics', serviceHeaders);
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length));
}
