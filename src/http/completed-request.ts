import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from './errors/error-codes.js';

/** In place of a status, where the client has gone before it was answered; nginx's number for it. */
export const ABORTED = 499;

/** In place of a route's pattern, where no route was found. */
export const NO_ROUTE = 'none';

/** A request that was answered, whichever way it took, or left by its client. */
export interface CompletedRequest {
  raw: IncomingMessage;
  id: string;
  method: string;
  /** The pattern, not the path. */
  route: string;
  status: number;
  seconds: number;
  /** Who asked, as far as that is known: `session:<owner>`, `key:<id>`, `service:<name>`. */
  principal?: string | undefined;
  /** What was decided of a key. */
  verdict?: string | undefined;
  /** The key that it was decided of, where that is not who asked. */
  keyId?: string | undefined;
  /** The code of the error that was answered. */
  error?: ErrorCode | undefined;
}
