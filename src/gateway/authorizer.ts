import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { authenticate } from '../authentication/authenticate.js';
import { Denial } from '../authentication/denial.js';
import { SESSION_STRATEGY } from '../authentication/strategies/session.strategy.js';
import { ClientAddress } from '../http/client-address.js';
import { ApiError } from '../http/errors/api-error.js';
import type { RequestContext } from '../http/request-context.js';
import { rateStateOf } from '../limits/quota.js';
import { readCredentialsOnce } from '../principals/presented-credentials.js';
import { Principal } from '../principals/principal.js';
import { refusalError } from '../principals/refusal-errors.js';
import type { Verdict } from '../verification/verdict.js';
import { Verifier } from '../verification/verifier.js';
import { accessTo, type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { ClosedRouteError, UnlistedRouteError } from './errors.js';
import { type GatewayHeaders, keyAnswer, PUBLIC_ANSWER, sessionAnswer, toGatewayRefusal } from './gateway-answer.js';
import { prefixedRequest } from './original-request.js';
import { type Access, type Closed, RouteTable, UNLISTED } from './route-table.js';

/** A gateway's sub-request. */
interface SubRequest {
  raw: IncomingMessage;
  /** Gets the caller and the verdict. */
  context: RequestContext;
}

type Eventually<T> = T | Promise<T>;

/** The headers of a request that may pass, or why it may not. */
type Decision = GatewayHeaders | ApiError;

/** Decides whether a gateway may pass a request on, by the client's own headers on the sub-request. */
@Injectable()
export class Authorizer {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
    private readonly routeTable: RouteTable,
  ) {}

  /** By `?scope=`, or the original method and path in the headers. @throws ApiError, synchronously or by its promise */
  authorize(request: SubRequest): Eventually<GatewayHeaders> {
    return this.answer(request, readAuthorizeRequest(request.raw, this.routeTable));
  }

  /** By the sub-request's method, and its path below the prefix. @throws ApiError, synchronously or by its promise */
  authorizeAt(request: SubRequest): Eventually<GatewayHeaders> {
    return this.answer(request, { access: accessTo(prefixedRequest(request.raw), this.routeTable), denyAs403: false });
  }

  private answer(request: SubRequest, { access, denyAs403 }: AuthorizeRequest): Eventually<GatewayHeaders> {
    const decision = this.decide(request, access);
    return decision instanceof Promise
      ? decision.then((settled) => headersOrThrow(settled, denyAs403))
      : headersOrThrow(decision, denyAs403);
  }

  private decide(request: SubRequest, access: Access): Eventually<Decision> {
    if (access === 'public') return PUBLIC_ANSWER;
    // Read once, on this route: not remembered
    const credentials = readCredentialsOnce(request.raw);
    if (credentials instanceof ApiError) return credentials;
    if ('token' in credentials) return this.decideOnSession(request, access);
    // For a closed route, the caller is only identified, free of charge
    const needed = isClosed(access) ? { scopes: [], cost: 0 } : { scopes: access, cost: 1 };
    const verdict = this.verifier.verify(credentials.pair, { ...needed, ip: this.clientAddress.of(request.raw) });
    return verdict instanceof Promise
      ? verdict.then((settled) => decisionOn(settled, access, request))
      : decisionOn(verdict, access, request);
  }

  private async decideOnSession({ raw, context }: SubRequest, access: Needed): Promise<Decision> {
    const outcome = await authenticate(SESSION_STRATEGY, raw);
    if (outcome instanceof Denial) return outcome.error;
    context.caller = outcome.actorId;
    if (isClosed(access)) return new ClosedRouteError(access);
    context.verdict = 'VALID';
    return sessionAnswer(outcome);
  }
}

function headersOrThrow(decision: Decision, denyAs403: boolean): GatewayHeaders {
  if (decision instanceof ApiError) throw toGatewayRefusal(decision, denyAs403);
  return decision;
}

/** What a route needs, unless it is public. */
type Needed = Exclude<Access, 'public'>;

function isClosed(access: Needed): access is Closed {
  return typeof access === 'string';
}

function decisionOn(verdict: Verdict, access: Needed, { context }: SubRequest): Decision {
  const { valid, code, key, charge } = verdict;
  context.caller = key && Principal.apiKey(key).actorId;
  if (!valid && code === 'INSUFFICIENT_SCOPE' && access === UNLISTED) return new UnlistedRouteError();
  if (!valid) {
    const missing = isClosed(access) ? [] : access.filter((scope) => !key?.granted.allows([scope]));
    return refusalError(code, { missing, rates: rateStateOf(charge) });
  }
  if (isClosed(access)) return new ClosedRouteError(access);
  context.verdict = 'VALID';
  return keyAnswer(key, charge);
}
