import type { IncomingMessage, ServerResponse } from 'node:http';
import { requestId } from './request-id.js';
import { COMMON_HEADERS, JSON_TYPE } from './response-headers.js';

/** An error of the service's HTTP contract. */
export interface RequestError {
  status: 400 | 401 | 403 | 429 | 503;
  code: string;
  message: string;
  /** The verdict's code, with 401. */
  reason?: string;
  headers?: Record<string, string>;
}

/** The answer to a request that may not pass: the service's envelope for errors. */
export class RefusedRequest {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: object;

  constructor(request: IncomingMessage, { status, headers, ...error }: RequestError) {
    const id = requestId(request.headers);
    this.status = status;
    this.headers = { ...COMMON_HEADERS, 'Content-Type': JSON_TYPE, 'X-Request-Id': id, ...headers };
    this.body = { status: 'error', error, request_id: id };
  }

  /** Answers through Node's own response, as Express and Connect have it too. */
  send(response: ServerResponse): void {
    const text = JSON.stringify(this.body);
    response.writeHead(this.status, { ...this.headers, 'Content-Length': Buffer.byteLength(text) }).end(text);
  }
}
