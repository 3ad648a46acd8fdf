import type { IncomingMessage } from 'node:http';
import { ORDINARY_BOUNDS } from '../http/body/body-bounds.js';
import { BodyReceiver } from '../http/body/body-receiver.js';
import { declaredBodyProblem, notJson } from '../http/body/declared-body.js';
import { parseJsonBody } from '../http/body/json-body.js';
import { UnfinishedBodies } from '../http/body/unfinished-bodies.js';
import { hasBody } from '../http/body/unread-body.js';

/** Of all unfinished bodies together: 32 MiB. */
const MAX_UNFINISHED_BYTES = 33_554_432;

/** Receives the bodies of services, within the bounds that the API-key service has. */
export class ServiceBodies {
  private readonly unfinished = new UnfinishedBodies(MAX_UNFINISHED_BYTES);

  /** Checks what the headers say of the body, before any of it is read. @throws ApiError */
  check({ headers }: IncomingMessage): void {
    const problem = hasBody({ headers }) && declaredBodyProblem(headers, mediaTypeOf(headers), ORDINARY_BOUNDS);
    if (problem) throw problem;
  }

  /** The parsed body; `undefined` without one. @throws ApiError, or the error of the connection */
  async receive(request: IncomingMessage): Promise<object | undefined> {
    if (!hasBody(request)) return undefined;
    const body = await new Promise<Buffer>((resolve, reject) => {
      const done = (cause: unknown, received?: Buffer) => (received ? resolve(received) : reject(cause));
      new BodyReceiver(request, this.unfinished, () => 'services', done).receive();
    });
    // A chunked body that is not declared as JSON: an empty one is accepted
    if (body.length > 0 && mediaTypeOf(request.headers) !== 'application/json') throw notJson();
    return parseJsonBody(body);
  }
}

function mediaTypeOf({ 'content-type': type = '' }: IncomingMessage['headers']): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase();
}
