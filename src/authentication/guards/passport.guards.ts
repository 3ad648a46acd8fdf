import { Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import jwt from 'jsonwebtoken';
import { ApiError } from '../../contract/api-error.js';
import { UnauthenticatedError } from '../errors.js';
import type { Principal } from '../principal.js';
import { API_KEY_STRATEGY } from '../strategies/api-key.strategy.js';
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
  if (error) throw error;
  if (principal) return principal;
  throw info instanceof ApiError ? info : refusedSession(info);
}

/** Only a token whose signature is good gets as far as its times. */
function refusedSession(info: unknown): UnauthenticatedError {
  if (info instanceof jwt.TokenExpiredError) return new UnauthenticatedError('EXPIRED');
  if (info instanceof jwt.NotBeforeError) return new UnauthenticatedError('NOT_YET_VALID');
  return new UnauthenticatedError('INVALID_CREDENTIALS');
}
