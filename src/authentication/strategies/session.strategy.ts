import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import jwt from 'jsonwebtoken';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { UnauthenticatedError } from '../errors.js';
import { isOwnerId, Principal } from '../principal.js';
import { type SessionKeys, createSessionKeys } from './session-keys.js';

export const SESSION_STRATEGY = 'session';

/** How far the account service's clock and ours may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** Takes a session token (JWT, RFC 7519) of the account service for its `sub`, the owner. */
@Injectable()
export class SessionStrategy extends PassportStrategy(Strategy, SESSION_STRATEGY) {
  constructor(@Inject(ENVIRONMENT) { session }: Environment) {
    const keys = createSessionKeys(session.keySource);
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request: unknown, token: string, done: KeyCallback) => void provideKey(keys, token, done),
      algorithms: [...session.algorithms],
      ...(session.issuer && { issuer: session.issuer }),
      ...(session.audience && { audience: session.audience }),
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
    });
  }

  /** The signature and the times fit; what the library leaves optional is required here. */
  validate({ exp, sub }: jwt.JwtPayload): Principal {
    if (typeof exp !== 'number' || !isOwnerId(sub)) throw new UnauthenticatedError('INVALID_CREDENTIALS');
    return Principal.session(sub);
  }
}

type KeyCallback = (error: unknown, key?: string) => void;

async function provideKey(keys: SessionKeys, token: string, done: KeyCallback): Promise<void> {
  try {
    done(null, await keys.keyFor(token));
  } catch (error) {
    done(error);
  }
}

