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
import type { Verdict } from '../verification/verdict.js';
import { Verifier } from '../verification/verifier.js';
import { accessTo, type AuthorizeRequest, readAuthorizeRequest } from './authorize-request.js';
import { ClosedRouteError } from './errors.js';
import {
  type GatewayHeaders,
  keyAnswer,
  PUBLIC_ANSWER,
  sessionAnswer,
  toGatewayRefusal,
  withRates,
} from './gateway-answer.js';
import { isClosed, type Needed, refusedKey, requirementsOf } from './key-decision.js';
import { prefixedRequest } from './original-request.js';
import { type Access, RouteTable } from './route-table.js';

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
    const ip = this.clientAddress.of(request.raw);
    const verdict = this.verifier.verify(credentials.pair, { ...requirementsOf(access), ip });
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

function decisionOn(verdict: Verdict, access: Needed, { context }: SubRequest): Decision {
  const { valid, code, key, charge } = verdict;
  context.caller = key && Principal.apiKey(key).actorId;
  const rates = rateStateOf(charge);
  if (!valid) return refusedKey(code, access, (scope) => key?.granted.allows([scope]) === true, rates);
  if (isClosed(access)) return new ClosedRouteError(access);
  context.verdict = 'VALID';
  return withRates(key.memoize(keyAnswer), rates);
}
