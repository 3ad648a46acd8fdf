import { ApiError } from '../http/errors/api-error.js';
import { InsufficientScopeError } from '../principals/refusal-errors.js';
import { type Closed, MAX_PATH_LENGTH } from './route-table.js';

/** A route that the route table lacks, asked for with a key that is no admin key. */
export class UnlistedRouteError extends InsufficientScopeError {
  constructor() {
    super(
      ['admin'],
      'This route is not in the route table, so that it needs the scope admin: a session or an admin key may pass. ' +
        'To open it for other keys, the operator adds it to ROUTE_TABLE.',
    );
  }
}

const CLOSED: Record<Closed, string> = {
  'not-plain':
    'Nobody may pass, whatever the scopes: servers may read this path differently. Its segments may have letters, digits ' +
    `and - . _ ~ alone, may be neither empty nor dots alone, and have at most ${MAX_PATH_LENGTH} characters together.`,
  uncertain:
    'Nobody may pass, whatever the scopes: which request it is, is not certain. The gateway has to send X-Original-Method ' +
    'and X-Original-URI (or X-Forwarded-Method and -Uri) once each, and all of them have to agree.',
};

/** A path that is not plain, or not known for certain: it is refused to everyone. */
export class ClosedRouteError extends ApiError {
  constructor(why: Closed) {
    super('insufficient_scope', CLOSED[why]);
  }
}
