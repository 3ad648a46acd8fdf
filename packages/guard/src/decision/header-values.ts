import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** By the headers of a request that got another one of our own. */
const repeatedBefore = new WeakMap<object, boolean>();

/** Adds a header of our own, which a client's then are not confused with. */
export function addHeader(request: Pick<Headers, 'headers' | 'rawHeaders'>, name: string, value: string): void {
  repeatedBefore.set(request.headers, repeatsHeaders(request));
  request.headers[name] = value;
}

/** Whether any header is repeated: Node joins the values, or drops all but the first. */
export function repeatsHeaders({ headers, rawHeaders }: Pick<Headers, 'headers' | 'rawHeaders'>): boolean {
  return repeatedBefore.get(headers) ?? Object.keys(headers).length * 2 !== rawHeaders.length;
}

/**
 * All values of a header as they were sent, under any of its spellings. `headersDistinct` is slow: it is read only if
 * one of them is repeated.
 */
export function headerValues(request: Headers, ...spellings: readonly string[]): readonly string[] {
  const values: string[] = [];
  for (const name of spellings) if (request.headers[name] !== undefined) values.push(request.headers[name] as string);
  if (values.length === 0 || !spellings.some((name) => isRepeated(request, name))) return values;
  return spellings.flatMap((name) => request.headersDistinct[name] ?? []);
}

/** Whether a header is repeated. @param name in lower case */
function isRepeated({ rawHeaders }: Headers, name: string): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] as string;
    if (raw.length === name.length && raw.toLowerCase() === name && ++count > 1) return true;
  }
  return false;
}
