import type { Guard } from '@w3ipfs/api-keys-guard';
import { ApiError } from '../http/errors/api-error.js';
import { foldedPath } from '../http/folded-path.js';
import { headerProblem } from '../http/header-problem.js';
import type { Answer, Eventually, SidecarRequest } from './answer.js';
import type { GatewayAnswers } from './authorize.js';
import { live, metrics, ready } from './operators.js';
import type { Verification } from './verify.js';

type Respond = (request: SidecarRequest) => Eventually<Answer>;

const AT = '/api/apikeys/authorize/at';

/** What the sidecar answers. Paths are matched in any case, with or without a trailing slash, as by the service. */
export class SidecarRoutes {
  /** By method and path, in lower case. */
  private readonly exact: ReadonlyMap<string, Respond>;

  constructor(
    guard: Guard,
    verification: Verification,
    private readonly gateways: GatewayAnswers,
  ) {
    this.exact = new Map<string, Respond>([
      ['POST /api/apikeys/verify', (request) => verification.verify(request)],
      ['POST /api/apikeys/verify/batch', (request) => verification.verifyBatch(request)],
      ['GET /api/apikeys/authorize', (request) => gateways.authorize(request)],
      ['GET /health/live', live],
      ['GET /health/ready', () => ready(guard)],
      ['GET /metrics', (request) => metrics(guard, request)],
    ]);
  }

  /** @throws ApiError; GuardUnavailableError */
  answer(request: SidecarRequest): Eventually<Answer> {
    const { method = '', url = '' } = request.raw;
    const [given = ''] = url.split(/[?#]/, 1);
    const path = foldedPath(given);
    const isBelow = path === AT || path.startsWith(`${AT}/`);
    const problem = headerProblem(request.raw, isBelow);
    if (problem) throw problem;
    if (isBelow) return this.gateways.authorizeAt(request);
    const respond = this.exact.get(`${method === 'HEAD' ? 'GET' : method} ${path}`);
    if (!respond) throw new ApiError('route_not_found', `There is no ${method} ${given}.`);
    return respond(request);
  }
}
