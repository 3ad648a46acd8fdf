import autocannon, { type Options, type Request as AutocannonRequest } from 'autocannon';
import type { Load, Seen, Work } from './load.js';

/** One round of load by autocannon, in this process. */
export function loadByAutocannon(url: string, work: Work, { seconds, connections }: Load): Promise<Seen> {
  return fire(url, work, { connections, duration: seconds });
}

/** Sends requests at a steady rate, without waiting for earlier answers. */
export function askSteadily(url: string, work: Work, { seconds, connections }: Load, perSecond: number): Promise<Seen> {
  return fire(url, work, { connections, duration: seconds, overallRate: perSecond });
}

async function fire(url: string, work: Work, options: Partial<Options>): Promise<Seen> {
  const { name, request, bodies, authorizations, expects } = work;
  const { path, ...rest } = request;
  const requests = (bodies || authorizations) && [{ ...rest, path, setupRequest: inTurn(work) }];
  const verifyBody = (body: unknown) => String(body).includes(expects);
  const result = await autocannon({ url: url + path, ...rest, ...options, ...(requests && { requests, verifyBody }) });
  if (result.non2xx + result.errors + result.mismatches > 0) {
    throw new Error(`${name}: ${result.non2xx} refusals, ${result.errors} errors, ${result.mismatches} wrong answers`);
  }
  const answers = result.requests.total;
  return { answers, perSecond: answers / result.duration, p50: result.latency.p50, p99: result.latency.p99 };
}

function inTurn({ bodies, authorizations }: Work) {
  let sent = 0;
  return (request: AutocannonRequest): AutocannonRequest => {
    const body = bodies?.[sent % bodies.length];
    const authorization = authorizations?.[sent % authorizations.length];
    sent++;
    return {
      ...request,
      ...(body !== undefined && { body }),
      ...(authorization && { headers: { ...request.headers, authorization } }),
    };
  };
}
