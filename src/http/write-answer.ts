import type { ServerResponse } from 'node:http';
import type { DirectAnswer } from './direct.decorator.js';
import { COMMON_HEADERS, JSON_TYPE } from './response-headers.js';

/** As `writeHead()` takes them, names and values in turn: an object of them costs more to make and to read. */
const COMMON_LINES = Object.entries(COMMON_HEADERS).flat();

/** Writes an answer as a whole, with the headers of every answer. @param id the request's */
export function writeAnswer(
  response: ServerResponse,
  id: string,
  { status = 200, headers, body = '' }: DirectAnswer,
): void {
  const length = Buffer.byteLength(body);
  const lines = [...COMMON_LINES, 'X-Request-Id', id, 'Content-Length', String(length)];
  if (length > 0) lines.push('Content-Type', JSON_TYPE);
  for (const name in headers) lines.push(name, headers[name] ?? '');
  response.writeHead(status, lines);
  // What is ASCII alone need not be encoded once more
  response.end(body, length === body.length ? 'latin1' : 'utf8');
}
