import type { ErrorCode } from './errors/error-codes.js';

/** What becomes known about a request while it is handled: for its log line, metrics, span and audit event. */
export class RequestContext {
  /** By `performance.now()`. */
  readonly startedAt = performance.now();
  /** `session:<owner>`, `key:<id>` or `service:<name>`; also where the request is refused after that is known. */
  caller: string | undefined;
  /** The verdict's code, if one was reached. */
  verdict: string | undefined;
  /** The key that the verdict is about, unless that is the caller. */
  keyId: string | undefined;
  /** If the response is an error. */
  error: ErrorCode | undefined;
  /** Whether it has been reported as completed. */
  isCompleted = false;

  /** @param id of the request; see `requestId()` */
  constructor(readonly id: string) {}
}

declare module 'fastify' {
  interface FastifyRequest {
    context: RequestContext;
  }
}
