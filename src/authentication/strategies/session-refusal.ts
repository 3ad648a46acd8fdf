import { Logger } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { UnauthenticatedError } from '../../principals/refusal-errors.js';

type Check = 'form' | 'alg' | 'signature' | 'nbf' | 'exp' | 'aud' | 'iss' | 'sub';

/** A refused session. The client gets the reason, the log the failed check. */
export class SessionRefusedError extends UnauthenticatedError {
  /** @param detail the check's finding, with no part of the token */
  constructor(
    readonly check: Check,
    readonly detail: string,
    verdict: 'INVALID_CREDENTIALS' | 'EXPIRED' | 'NOT_YET_VALID' = 'INVALID_CREDENTIALS',
  ) {
    super(verdict);
  }
}

/** By the words in the messages of `jsonwebtoken`. */
const CHECKS: readonly (readonly [RegExp, Check])[] = [
  [/algorithm/, 'alg'],
  [/signature/, 'signature'],
  [/nbf/, 'nbf'],
  [/exp value/, 'exp'],
  [/audience/, 'aud'],
  [/issuer/, 'iss'],
];

/** The refusal for an error of `jsonwebtoken`, which checks the claims only after the signature. */
export function sessionRefusal(info: unknown): UnauthenticatedError {
  if (info instanceof jwt.TokenExpiredError)
    return new SessionRefusedError('exp', `expired at ${info.expiredAt.toISOString()}`, 'EXPIRED');
  if (info instanceof jwt.NotBeforeError)
    return new SessionRefusedError('nbf', `valid from ${info.date.toISOString()} on`, 'NOT_YET_VALID');
  if (!(info instanceof jwt.JsonWebTokenError)) return new UnauthenticatedError('INVALID_CREDENTIALS');
  const check = CHECKS.find(([words]) => words.test(info.message))?.[1] ?? 'form';
  return new SessionRefusedError(check, info.message);
}

const logger = new Logger('Session');

/** Logs why a session was refused; ignores other errors. */
export function logRefusal(error: unknown): void {
  if (error instanceof SessionRefusedError)
    logger.debug(`A session was refused by its ${error.check}: ${error.detail}`);
}
