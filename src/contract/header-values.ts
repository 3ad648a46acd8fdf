import type { IncomingMessage } from 'node:http';

type Headers = Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>;

/** Whether any header is there more than once: Node joins or drops what comes after the first. */
export function repeatsHeaders({ headers, rawHeaders }: Pick<Headers, 'headers' | 'rawHeaders'>): boolean {
  return Object.keys(headers).length * 2 !== rawHeaders.length;
}

/** All values of a header, each as it was sent. Node's own list of them costs more, and is asked only where it differs. */
export function headerValues(request: Headers, name: string): readonly string[] {
  const value = request.headers[name];
  if (value === undefined) return [];
  return repeatsHeaders(request) ? (request.headersDistinct[name] ?? []) : [value].flat();
}
