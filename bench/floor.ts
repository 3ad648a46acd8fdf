import type { FloorRoute } from './processes/floor.js';
import type { Work } from './load.js';
import { type Measured, startMeasured } from './process.js';

/** Headers that every server adds. */
const OF_EVERY_ANSWER = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);

/** A bare Fastify server whose answers have the same size as those of the service. */
export async function startFloor(service: Measured, works: Work[]): Promise<Measured> {
  const routes = new Map<string, FloorRoute>();
  for (const work of works) {
    const route = await routeOf(service, work);
    routes.set(`${route.method} ${route.path}`, route);
  }
  return startMeasured(['--import', 'tsx', 'bench/processes/floor.ts', JSON.stringify([...routes.values()])], {});
}

/** The same work for the floor, which decides and stores nothing. */
export function onFloor(work: Work): Work {
  return { ...work, expects: 'filler', eachOnce: false };
}

/** Requests one answer from the service. @throws Error if it is unexpected */
async function routeOf(service: Measured, work: Work): Promise<FloorRoute> {
  const { method, path } = work.request;
  const answer = await ask(service, work);
  const text = await answer.text();
  if (!answer.ok || !text.includes(work.expects)) throw new Error(`${work.name}: ${answer.status} ${text}`);
  const headers = [...answer.headers].filter(([name]) => !OF_EVERY_ANSWER.has(name));
  return { method, path, headers: Object.fromEntries(headers), bytes: Buffer.byteLength(text) };
}

export function ask(server: Measured, { request: { method, path, headers, body } }: Work): Promise<Response> {
  return fetch(server.url + path, { method, headers, body: body ?? null });
}
