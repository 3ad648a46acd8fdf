import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Direct, type DirectAnswer, type DirectRequest } from '../contract/direct.decorator.js';
import { ClientAddress } from '../limits/client-address.js';
import { rateOf } from '../limits/metering.js';
import { ApiAuthenticated } from '../openapi/security.js';
import type { Verdict } from '../verification/verdict.js';
import { Verifier } from '../verification/verifier.js';
import { authenticateSession } from './authenticate-session.js';
import { type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { ApiAuthorizeAnswers } from './dto/authorize-answers.decorator.js';
import { ClosedRouteError, refusalError } from './errors.js';
import { asRefusal, keyAnswer, sessionAnswer } from './gateway-answer.js';
import { presentedCredentials } from './presented-credentials.js';
import { Principal } from './principal.js';

/**
 * For gateways, which ask before they let a request through, with the client's own headers. No guard stands
 * before its handler, which identifies the client itself.
 */
@Controller('apiKeys/authorize')
@ApiAuthenticated('Gateways')
export class GatewayController {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
  ) {}

  /** The answer is its status and headers, which is all that a gateway reads: there is no body. */
  @Get()
  @Direct()
  @ApiOperation({
    operationId: 'authorizeRequest',
    summary: 'May this request pass?',
    description:
      "Asked with the client's own credentials. What the request needs is told by `scope`, or by its method and path in " +
      'the headers. The answer is its status and its headers; see `deploy/` for gateways that are set up for it.',
  })
  @ApiAuthorizeAnswers()
  authorize(request: DirectRequest): DirectAnswer | Promise<DirectAnswer> {
    const asked = readAuthorizeRequest(request.raw);
    const refuse = (error: unknown): never => {
      throw asRefusal(error, asked.denyAs403);
    };
    try {
      const answer = this.admit(request, asked);
      return answer instanceof Promise ? answer.catch(refuse) : answer;
    } catch (error) {
      return refuse(error);
    }
  }

  private admit(request: DirectRequest, asked: AuthorizeRequest): DirectAnswer | Promise<DirectAnswer> {
    const presented = presentedCredentials(request.raw);
    if ('token' in presented) return this.admitSession(request, asked);
    // Whoever asks for what no scope opens is told so, free of charge, once it is clear who that is
    const scopes = asked.scopes ?? [];
    const need = { scopes, ip: this.clientAddress.of(request.raw), cost: asked.scopes ? 1 : 0 };
    const verdict = this.verifier.verify(presented.pair, need);
    return verdict instanceof Promise
      ? verdict.then((decided) => answerTo(decided, asked, request))
      : answerTo(verdict, asked, request);
  }

  private async admitSession(request: DirectRequest, { scopes }: AuthorizeRequest): Promise<DirectAnswer> {
    const principal = await authenticateSession(request.raw);
    request.caller = principal.reference;
    if (!scopes) throw new ClosedRouteError();
    return sessionAnswer(principal);
  }
}

function answerTo(verdict: Verdict, { scopes }: AuthorizeRequest, request: DirectRequest): DirectAnswer {
  const { valid, code, key, charge } = verdict;
  request.caller = key && Principal.apiKey(key).reference;
  if (!valid) throw refusalError(code, { needed: scopes ?? [], rates: rateOf(charge) });
  if (!scopes) throw new ClosedRouteError();
  return keyAnswer(key, charge);
}
