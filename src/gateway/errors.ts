import { ApiError } from '../http/errors/api-error.js';
import { InsufficientScopeError } from '../principals/refusal-errors.js';
import { type Closed, MAX_PATH_LENGTH } from './route-table.js';

/** For a key without `admin`: the route is not in the route table. */
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
    'Denied to every caller: servers may read this path differently. Its segments may contain only letters, digits and ' +
    `- . _ ~, must be neither empty nor only dots, and have at most ${MAX_PATH_LENGTH} characters in total.`,
  uncertain:
    'Denied to every caller: it is uncertain which request this is. The gateway has to send X-Original-Method and ' +
    'X-Original-URI (or X-Forwarded-Method and -Uri) once each, and all of them have to agree.',
};

/** For every caller: the path is not plain, or uncertain. */
export class ClosedRouteError extends ApiError {
  constructor(why: Closed) {
    super('insufficient_scope', CLOSED[why], { verdict: 'INSUFFICIENT_SCOPE' });
  }
}
