import type { ErrorCode } from './errors/error-codes.js';

/** Collects facts about a request in progress, for its log line, metrics, span and audit event. */
export class RequestContext {
  /** By `performance.now()`. */
  readonly startedAt = performance.now();
  /** `session:<owner>`, `key:<id>` or `service:<name>`; also if the request is rejected after the caller was identified. */
  caller: string | undefined;
  /** The verdict's code, if one was reached. */
  verdict: string | undefined;
  /** The key that the verdict is about, unless that is the caller. */
  keyId: string | undefined;
  /** If the response is an error. */
  error: ErrorCode | undefined;
  /** How much of a body was received; 0 if it was refused before. */
  bodyBytes = 0;
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
