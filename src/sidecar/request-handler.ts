import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { GuardUnavailableError } from '@w3ipfs/api-keys-guard';
import { requestId } from '@w3ipfs/api-keys-guard/http';
import { setKeepAlive } from '../http/body/unread-body.js';
import { ApiError, InternalError, UnavailableError } from '../http/errors/api-error.js';
import { errorResponse } from '../http/errors/error-response.js';
import { type Answer, type SidecarRequest, writeAnswer } from './answer.js';
import type { SidecarLog } from './log.js';
import type { SidecarRoutes } from './routes.js';

/** Answers each request, errors in the envelope of the HTTP contract. */
export class RequestHandler {
  /** The number of requests that are not answered yet. */
  inFlight = 0;

  constructor(
    private readonly routes: SidecarRoutes,
    private readonly log: SidecarLog,
  ) {}

  /** @param server on which it arrived */
  handle(server: Server, raw: IncomingMessage, response: ServerResponse): void {
    this.inFlight++;
    response.once('close', () => this.inFlight--);
    const request = { raw, id: requestId(raw.headers) };
    const send = (answer: Answer): void => {
      if (response.destroyed) return;
      setKeepAlive(server, raw, response);
      writeAnswer(response, request.id, answer);
    };
    const fail = (cause: unknown): void => send(errorResponse(this.toApiError(cause, request), request.id));
    try {
      const answer = this.routes.answer(request);
      if (answer instanceof Promise) answer.then(send).catch(fail);
      else send(answer);
    } catch (cause) {
      fail(cause);
    }
  }

  private toApiError(cause: unknown, { raw, id }: SidecarRequest): ApiError {
    if (cause instanceof ApiError) return cause;
    if (cause instanceof GuardUnavailableError) return unavailable(cause);
    // The client is gone: nobody gets the answer
    if (!raw.errored) this.log.defect(id, cause);
    return new InternalError();
  }
}

/** Why is the operator's concern: the log has each change of state. */
function unavailable({ retryAfterSeconds }: GuardUnavailableError): UnavailableError {
  return new UnavailableError('API keys cannot be checked at present. Try again in a moment.', { retryAfterSeconds });
}
