import type { Guard, GuardVerdict } from '@w3ipfs/api-keys-guard';
import type { NamedRate } from '@w3ipfs/api-keys-guard/http';
import { accessTo, type AuthorizeRequest, readAuthorizeRequest } from '../gateway/authorize-request.js';
import { ClosedRouteError } from '../gateway/errors.js';
import { keyAnswer, PUBLIC_ANSWER, toGatewayRefusal, withRates } from '../gateway/gateway-answer.js';
import { isClosed, type Needed, refusedKey, requirementsOf } from '../gateway/key-decision.js';
import { prefixedRequest } from '../gateway/original-request.js';
import type { RouteTable } from '../gateway/route-table.js';
import { ApiError } from '../http/errors/api-error.js';
import { readCredentialsOnce } from '../principals/presented-credentials.js';
import type { Answer, Eventually, SidecarRequest } from './answer.js';
import type { ClientOf } from './client-of.js';
import { scopeSetOf } from './scope-sets.js';
import type { SessionRelay } from './session-relay.js';

/** Answers gateways: on key pairs by the guard; requests with a session are passed on to the service. */
export class GatewayAnswers {
  constructor(
    private readonly guard: Guard,
    private readonly clientOf: ClientOf,
    private readonly routeTable: RouteTable,
    private readonly sessions: SessionRelay,
  ) {}

  /** By `?scope=`, or the original method and path in the headers. @throws ApiError; GuardUnavailableError */
  authorize(request: SidecarRequest): Eventually<Answer> {
    return this.answer(request, readAuthorizeRequest(request.raw, this.routeTable));
  }

  /** By the sub-request's method, and its path below the prefix. @throws ApiError; GuardUnavailableError */
  authorizeAt(request: SidecarRequest): Eventually<Answer> {
    return this.answer(request, { access: accessTo(prefixedRequest(request.raw), this.routeTable), denyAs403: false });
  }

  private answer(request: SidecarRequest, { access, denyAs403 }: AuthorizeRequest): Eventually<Answer> {
    if (access === 'public') return { headers: PUBLIC_ANSWER };
    const credentials = readCredentialsOnce(request.raw);
    if (credentials instanceof ApiError) throw toGatewayRefusal(credentials, denyAs403);
    const ip = this.clientOf(request.raw);
    if ('token' in credentials) return this.sessions.ask(request, ip);
    const { scopes, cost } = requirementsOf(access);
    const scope = scopes.length > 0 && { scope: scopes };
    const verdict = this.guard.check(credentials.pair, { cost, ...scope, ...(ip !== undefined && { ip }) });
    return verdict instanceof Promise
      ? verdict.then((settled) => answerOn(settled, access, denyAs403))
      : answerOn(verdict, access, denyAs403);
  }
}

/** @throws ApiError if the key may not pass */
function answerOn(verdict: GuardVerdict, access: Needed, denyAs403: boolean): Answer {
  const { code, keyId: id = '', ownerId = '' } = verdict;
  const rates = ratesOf(verdict);
  const granted = scopeSetOf(verdict.scopes);
  if (code !== 'VALID')
    throw toGatewayRefusal(
      refusedKey(code, access, (scope) => granted.allows([scope]), rates),
      denyAs403,
    );
  if (isClosed(access)) throw toGatewayRefusal(new ClosedRouteError(access), denyAs403);
  return { headers: withRates(keyAnswer({ id, ownerId, granted }), rates) };
}

/** The service tells services neither the window nor when a refused cost fits: at the latest when everything does. */
function ratesOf({ code, rateLimit }: GuardVerdict): NamedRate[] {
  if (!rateLimit) return [];
  const retryAfterSeconds = code === 'RATE_LIMITED' ? Math.max(1, rateLimit.resetSeconds) : 0;
  return [{ name: 'key', ...rateLimit, retryAfterSeconds }];
}
