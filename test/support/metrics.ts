import type { Client } from './client.js';
import { serviceHeaders } from './verification.js';

/** The current value of a metric, by its full name with labels; NaN if the service does not report it. */
export async function metricOf(client: Client, name: string): Promise<number> {
  const text = await metricsOf(client);
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length));
}

/** All metrics, as text. */
export async function metricsOf(client: Client): Promise<string> {
  return (await client.get('/metrics', serviceHeaders)).text;
}
