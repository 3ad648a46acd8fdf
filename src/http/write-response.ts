import type { ServerResponse } from 'node:http';
import { COMMON_HEADERS, JSON_TYPE } from './response-headers.js';

/** A response as text: JSON, or headers alone. */
export interface FullResponse {
  /** 200 by default. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** As `writeHead()` takes them, names and values in turn: an object costs more to build and to read. */
const COMMON_LINES = Object.entries(COMMON_HEADERS).flat();

/** Writes a response at once, with the headers of every response. @param id the request's */
export function writeResponse(
  response: ServerResponse,
  id: string,
  { status = 200, headers, body = '' }: FullResponse,
): void {
  const length = Buffer.byteLength(body);
  const lines = [...COMMON_LINES, 'X-Request-Id', id, 'Content-Length', String(length)];
  if (length > 0) lines.push('Content-Type', JSON_TYPE);
  for (const name in headers) lines.push(name, headers[name] ?? '');
  response.writeHead(status, lines);
  // ASCII needs no encoding
  response.end(body, length === body.length ? 'latin1' : 'utf8');
}
