import { All, Controller, Get } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation } from '@nestjs/swagger';
import { Direct, type DirectAnswer, type DirectRequest } from '../http/direct.decorator.js';
import { PlatformOnly } from '../http/platform-only.decorator.js';
import { ClientAddress } from '../http/client-address.js';
import { rateStateOf } from '../limits/quota.js';
import { ApiAuthenticated } from '../openapi/security.js';
import { type Access, type Closed, RouteTable, UNLISTED } from './route-table.js';
import type { Verdict } from '../verification/verdict.js';
import { Verifier } from '../verification/verifier.js';
import { authenticateSession } from '../authentication/authenticate-session.js';
import { accessTo, type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { ApiAuthorizeAnswers, AUTHORIZE_NOTE } from './authorize-answers.decorator.js';
import { refusalError } from '../principals/refusal-errors.js';
import { ClosedRouteError, UnlistedRouteError } from './errors.js';
import { asRefusal, keyAnswer, PUBLIC_ANSWER, sessionAnswer } from './gateway-answer.js';
import { prefixedRequest } from './original-request.js';
import { presentedCredentials } from '../principals/presented-credentials.js';
import { Principal } from '../principals/principal.js';

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
    private readonly routeTable: RouteTable,
  ) {}

  /** The answer is its status and headers, which is all that a gateway reads: there is no body. */
  @Get()
  @PlatformOnly()
  @Direct()
  @ApiOperation({ operationId: 'authorizeRequest', summary: 'May this request pass?', description: AUTHORIZE_NOTE })
  @ApiAuthorizeAnswers()
  authorize(request: DirectRequest): DirectAnswer | Promise<DirectAnswer> {
    return this.answer(request, readAuthorizeRequest(request.raw, this.routeTable));
  }

  /**
   * The same for gateways that send the original method and path, the latter under a prefix: the query is the client's
   * own. OpenAPI has no path for it, since a parameter has no slashes there.
   */
  @All('at/*')
  @PlatformOnly()
  @Direct({ headersOnly: true })
  @ApiExcludeEndpoint()
  authorizeAt(request: DirectRequest): DirectAnswer | Promise<DirectAnswer> {
    const access = accessTo(prefixedRequest(request.raw), this.routeTable);
    return this.answer(request, { access, denyAs403: false });
  }

  private answer(request: DirectRequest, asked: AuthorizeRequest): DirectAnswer | Promise<DirectAnswer> {
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

  private admit(request: DirectRequest, { access }: AuthorizeRequest): DirectAnswer | Promise<DirectAnswer> {
    if (access === 'public') return PUBLIC_ANSWER;
    const presented = presentedCredentials(request.raw);
    if ('token' in presented) return this.admitSession(request, access);
    // Whoever asks for what is closed to everyone is told so, free of charge, once it is clear who that is
    const charged = isClosed(access) ? { scopes: [], cost: 0 } : { scopes: access, cost: 1 };
    const verdict = this.verifier.verify(presented.pair, { ...charged, ip: this.clientAddress.of(request.raw) });
    return verdict instanceof Promise
      ? verdict.then((decided) => answerTo(decided, access, request))
      : answerTo(verdict, access, request);
  }

  private async admitSession(request: DirectRequest, access: Needed): Promise<DirectAnswer> {
    const principal = await authenticateSession(request.raw);
    request.caller = principal.reference;
    if (isClosed(access)) throw new ClosedRouteError(access);
    return sessionAnswer(principal);
  }
}

/** What is needed where anybody is asked who calls. */
type Needed = Exclude<Access, 'public'>;

function isClosed(access: Needed): access is Closed {
  return typeof access === 'string';
}

function answerTo(verdict: Verdict, access: Needed, request: DirectRequest): DirectAnswer {
  const { valid, code, key, charge } = verdict;
  request.caller = key && Principal.apiKey(key).reference;
  if (!valid && code === 'INSUFFICIENT_SCOPE' && access === UNLISTED) throw new UnlistedRouteError();
  if (!valid) {
    const missing = isClosed(access) ? [] : access.filter((scope) => !key?.granted.allows([scope]));
    throw refusalError(code, { missing, rates: rateStateOf(charge) });
  }
  if (isClosed(access)) throw new ClosedRouteError(access);
  return keyAnswer(key, charge);
}
