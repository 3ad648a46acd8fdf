import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** The request that was asked about last, which is asked about several times in a row, and the answer. */
let last: { headers: object; repeats: boolean } | undefined;

/** Whether any header is there more than once: Node joins or drops what comes after the first. */
export function repeatsHeaders({ headers, rawHeaders }: Pick<Headers, 'headers' | 'rawHeaders'>): boolean {
  if (last?.headers !== headers) last = { headers, repeats: Object.keys(headers).length * 2 !== rawHeaders.length };
  return last.repeats;
}

/**
 * All values of a header, each as it was sent, under any of its spellings. Node's own list of them costs more,
 * and is asked only where it differs.
 */
export function headerValues(request: Headers, ...spellings: readonly string[]): readonly string[] {
  const values: string[] = [];
  for (const name of spellings) if (request.headers[name] !== undefined) values.push(request.headers[name] as string);
  if (values.length === 0 || !repeatsHeaders(request)) return values;
  return spellings.flatMap((name) => request.headersDistinct[name] ?? []);
}
