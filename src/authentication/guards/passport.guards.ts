import { Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { ApiError } from '../../http/errors/api-error.js';
import type { Principal } from '../../principals/principal.js';
import { API_KEY_STRATEGY } from '../strategies/api-key.strategy.js';
import { logRefusal, refusedSession } from '../strategies/session-refusal.js';
import { SESSION_STRATEGY } from '../strategies/session.strategy.js';

@Injectable()
export class SessionGuard extends AuthGuard(SESSION_STRATEGY) {
  override handleRequest = principalOrError;
}

@Injectable()
export class ApiKeyGuard extends AuthGuard(API_KEY_STRATEGY) {
  override handleRequest = principalOrError;
}

/** A strategy's `error()` arrives as `error`, its `fail()` as `info`: our own errors pass as they are. */
export function principalOrError<T = Principal>(error: unknown, principal: T | false, info: unknown): T {
  if (error) throw logRefusal(error);
  if (principal) return principal;
  throw logRefusal(info instanceof ApiError ? info : refusedSession(info));
}
