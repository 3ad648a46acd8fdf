import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { GuardVerdict } from '../types.js';

/** A request of Nest's platforms: Fastify's, or Express's. */
export interface PlatformRequest {
  headers: IncomingHttpHeaders;
  socket: Socket;
  /** By the platform's `trustProxy` or `trust proxy`. */
  ip?: string | undefined;
}

/** Fastify keeps Node's request apart; Express's is one itself. */
export interface GuardedRequest extends PlatformRequest {
  raw?: IncomingMessage;
  apiKey?: GuardVerdict;
}
