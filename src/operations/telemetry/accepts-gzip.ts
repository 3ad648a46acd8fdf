/** Whether an `Accept-Encoding` accepts gzip (RFC 9110, 12.5.3), by name or, if it is not named, by `*`. */
export function acceptsGzip(header: string | string[] = ''): boolean {
  const codings = new Map(String(header).toLowerCase().split(',').map(readCoding));
  return (codings.get('gzip') ?? codings.get('*') ?? 0) > 0;
}

/** Parses a coding and its weight. */
function readCoding(text: string): [name: string, weight: number] {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return [name, weight === undefined ? 1 : Number(weight)];
}
