import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { authenticateSession } from '../authentication/authenticate-session.js';
import { ClientAddress } from '../http/client-address.js';
import type { RequestContext } from '../http/request-context.js';
import { rateStateOf } from '../limits/quota.js';
import { presentedCredentials } from '../principals/presented-credentials.js';
import { Principal } from '../principals/principal.js';
import { refusalError } from '../principals/refusal-errors.js';
import type { Verdict } from '../verification/verdict.js';
import { Verifier } from '../verification/verifier.js';
import { accessTo, type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { ClosedRouteError, UnlistedRouteError } from './errors.js';
import { asRefusal, type GatewayHeaders, keyAnswer, PUBLIC_ANSWER, sessionAnswer } from './gateway-answer.js';
import { prefixedRequest } from './original-request.js';
import { type Access, type Closed, RouteTable, UNLISTED } from './route-table.js';

/** The sub-request of a gateway. */
interface SubRequest {
  raw: IncomingMessage;
  /** Learns who the client is and what was decided. */
  context: RequestContext;
}

type Answer = GatewayHeaders | Promise<GatewayHeaders>;

/** Decides whether the request that a gateway holds may pass, by the client's own headers on the sub-request. */
@Injectable()
export class Authorizer {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
    private readonly routeTable: RouteTable,
  ) {}

  /** By `?scope=`, or the original method and path in the headers. @throws ApiError, at once or by its promise */
  authorize(request: SubRequest): Answer {
    return this.answer(request, readAuthorizeRequest(request.raw, this.routeTable));
  }

  /** By the method of the sub-request, and its path below the prefix. @throws ApiError, at once or by its promise */
  authorizeAt(request: SubRequest): Answer {
    return this.answer(request, { access: accessTo(prefixedRequest(request.raw), this.routeTable), denyAs403: false });
  }

  private answer(request: SubRequest, { access, denyAs403 }: AuthorizeRequest): Answer {
    const refuse = (error: unknown): never => {
      throw asRefusal(error, denyAs403);
    };
    try {
      const answer = this.admit(request, access);
      return answer instanceof Promise ? answer.catch(refuse) : answer;
    } catch (error) {
      return refuse(error);
    }
  }

  private admit(request: SubRequest, access: Access): Answer {
    if (access === 'public') return PUBLIC_ANSWER;
    const presented = presentedCredentials(request.raw);
    if ('token' in presented) return this.admitSession(request, access);
    // A closed route is refused free of charge, once the caller is known
    const needed = isClosed(access) ? { scopes: [], cost: 0 } : { scopes: access, cost: 1 };
    const verdict = this.verifier.verify(presented.pair, { ...needed, ip: this.clientAddress.of(request.raw) });
    return verdict instanceof Promise
      ? verdict.then((decided) => answerTo(decided, access, request))
      : answerTo(verdict, access, request);
  }

  private async admitSession({ raw, context }: SubRequest, access: Needed): Promise<GatewayHeaders> {
    const principal = await authenticateSession(raw);
    context.caller = principal.actorId;
    if (isClosed(access)) throw new ClosedRouteError(access);
    context.verdict = 'VALID';
    return sessionAnswer(principal);
  }
}

/** What a route needs that is not public. */
type Needed = Exclude<Access, 'public'>;

function isClosed(access: Needed): access is Closed {
  return typeof access === 'string';
}

function answerTo(verdict: Verdict, access: Needed, { context }: SubRequest): GatewayHeaders {
  const { valid, code, key, charge } = verdict;
  context.caller = key && Principal.apiKey(key).actorId;
  if (!valid && code === 'INSUFFICIENT_SCOPE' && access === UNLISTED) throw new UnlistedRouteError();
  if (!valid) {
    const missing = isClosed(access) ? [] : access.filter((scope) => !key?.granted.allows([scope]));
    throw refusalError(code, { missing, rates: rateStateOf(charge) });
  }
  if (isClosed(access)) throw new ClosedRouteError(access);
  context.verdict = 'VALID';
  return keyAnswer(key, charge);
}
