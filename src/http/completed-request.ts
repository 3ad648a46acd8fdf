import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { ErrorCode } from './errors/error-codes.js';

/** The status of a request whose client disconnected before it was answered; nginx uses the same number. */
export const ABORTED = 499;

/** The `route` of a request that matched none. */
export const NO_ROUTE = 'none';

/** A request that was answered, on the fast path or through Fastify, or aborted by its client. */
export interface CompletedRequest {
  raw: IncomingMessage;
  id: string;
  method: string;
  /** The pattern, not the path. */
  route: string;
  status: number;
  seconds: number;
  /** See `RequestContext`. */
  caller?: string | undefined;
  verdict?: string | undefined;
  keyId?: string | undefined;
  error?: ErrorCode | undefined;
  /** `undefined` on the fast path. */
  request?: FastifyRequest | undefined;
}
