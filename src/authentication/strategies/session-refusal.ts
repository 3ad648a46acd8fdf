import { Logger } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { UnauthenticatedError } from '../../principals/refusal-errors.js';

type Check = 'form' | 'alg' | 'signature' | 'nbf' | 'exp' | 'aud' | 'iss' | 'sub';

/** A session that was presented, and refused. The client learns the reason, and the log which check has failed. */
export class SessionRefusedError extends UnauthenticatedError {
  /** @param detail what the check has found: nothing of the token */
  constructor(
    readonly check: Check,
    readonly detail: string,
    reason: 'INVALID_CREDENTIALS' | 'EXPIRED' | 'NOT_YET_VALID' = 'INVALID_CREDENTIALS',
  ) {
    super(reason);
  }
}

/** How `jsonwebtoken` words them. */
const CHECKS: readonly (readonly [RegExp, Check])[] = [
  [/algorithm/, 'alg'],
  [/signature/, 'signature'],
  [/nbf/, 'nbf'],
  [/exp value/, 'exp'],
  [/audience/, 'aud'],
  [/issuer/, 'iss'],
];

/** Only a token whose signature is good gets as far as its claims. */
export function refusedSession(info: unknown): UnauthenticatedError {
  if (info instanceof jwt.TokenExpiredError)
    return new SessionRefusedError('exp', `expired at ${info.expiredAt.toISOString()}`, 'EXPIRED');
  if (info instanceof jwt.NotBeforeError)
    return new SessionRefusedError('nbf', `valid from ${info.date.toISOString()} on`, 'NOT_YET_VALID');
  if (!(info instanceof jwt.JsonWebTokenError)) return new UnauthenticatedError('INVALID_CREDENTIALS');
  const check = CHECKS.find(([words]) => words.test(info.message))?.[1] ?? 'form';
  return new SessionRefusedError(check, info.message);
}

const logger = new Logger('Session');

/** Says in the log why a session was refused, if that is what the error is about. @returns the error */
export function logRefusal(error: unknown): unknown {
  if (error instanceof SessionRefusedError)
    logger.debug(`A session was refused by its ${error.check}: ${error.detail}`);
  return error;
}
