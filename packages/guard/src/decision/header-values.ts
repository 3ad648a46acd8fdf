import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** By the headers of a request, which is checked several times: also after a header of our own was added. */
const known = new WeakMap<object, boolean>();

/** Whether any header is repeated: Node joins the values, or drops all but the first. */
export function repeatsHeaders({ headers, rawHeaders }: Pick<Headers, 'headers' | 'rawHeaders'>): boolean {
  let repeats = known.get(headers);
  if (repeats === undefined) known.set(headers, (repeats = Object.keys(headers).length * 2 !== rawHeaders.length));
  return repeats;
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
