import { Injectable } from '@nestjs/common';
import { FastPath } from '../http/fast-path.js';
import type { FullResponse } from '../http/write-response.js';
import { Authorizer } from './authorizer.js';
import type { GatewayHeaders } from './gateway-answer.js';

/** Answers gateways without the pipeline; `GatewayController` gives the same responses behind it. */
@Injectable()
export class AuthorizeFastPath {
  constructor(fastPath: FastPath, authorizer: Authorizer) {
    fastPath.register({
      method: 'GET',
      path: '/api/apiKeys/authorize',
      respond: (request) => respond(authorizer.authorize(request)),
    });
    fastPath.register({
      path: '/api/apiKeys/authorize/at/*',
      ignoresBody: true,
      respond: (request) => respond(authorizer.authorizeAt(request)),
    });
  }
}

function respond(answer: GatewayHeaders | Promise<GatewayHeaders>): FullResponse | Promise<FullResponse> {
  return answer instanceof Promise ? answer.then((headers) => ({ headers })) : { headers: answer };
}
