import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FullResponse, writeResponse } from '../http/write-response.js';

/** A request and its id. */
export interface SidecarRequest {
  raw: IncomingMessage;
  id: string;
}

/** A response with its own header lines: names and values in turn. */
export interface RawResponse {
  status: number;
  rawHeaders: string[];
  body: Buffer | string;
}

export type Answer = FullResponse | RawResponse;

export type Eventually<T> = T | Promise<T>;

export function writeAnswer(response: ServerResponse, id: string, answer: Answer): void {
  if (!('rawHeaders' in answer)) return writeResponse(response, id, answer);
  response.writeHead(answer.status, answer.rawHeaders);
  response.end(answer.body);
}
