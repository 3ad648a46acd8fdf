import type { ServerResponse } from 'node:http';
import { COMMON_HEADERS, JSON_TYPE } from '@w3ipfs/api-keys-guard/http';

/** A response with a JSON body, or without a body. */
export interface FullResponse {
  /** 200 by default. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** Names and values in turn, as `writeHead()` accepts them: faster than an object. */
const COMMON_LINES = Object.entries(COMMON_HEADERS).flat();

/** Writes a whole response, with the headers that every response has. @param id of the request */
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
