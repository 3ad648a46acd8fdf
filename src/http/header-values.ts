import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** The last result: each request is checked several times in a row. */
let last: { headers: object; repeats: boolean } | undefined;

/** Whether any header is repeated: Node joins the values, or drops all but the first. */
export function repeatsHeaders({ headers, rawHeaders }: Pick<Headers, 'headers' | 'rawHeaders'>): boolean {
  if (last?.headers !== headers) last = { headers, repeats: Object.keys(headers).length * 2 !== rawHeaders.length };
  return last.repeats;
}

/**
 * All values of a header as they were sent, under any of its spellings. `headersDistinct` is slow: it is read only if
 * headers are repeated.
 */
export function headerValues(request: Headers, ...spellings: readonly string[]): readonly string[] {
  const values: string[] = [];
  for (const name of spellings) if (request.headers[name] !== undefined) values.push(request.headers[name] as string);
  if (values.length === 0 || !repeatsHeaders(request)) return values;
  return spellings.flatMap((name) => request.headersDistinct[name] ?? []);
}
