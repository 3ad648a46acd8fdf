import type { KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { JwtPayload } from 'jsonwebtoken';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { inBackground } from '../../background/background.js';
import { isOwnerId, Principal } from '../../principals/principal.js';
import { SessionKeys } from './session-keys.js';
import { SessionRefusedError } from './session-refusal.js';

export const SESSION_STRATEGY = 'session';

/** How far the account service's clock and ours may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** As `jsonwebtoken` has it; the types of `passport-jwt` know of no `KeyObject` yet. */
type KeyCallback = (error: unknown, key?: string) => void;

/** Takes a session token (JWT, RFC 7519) of the account service for its `sub`, the owner. */
@Injectable()
export class SessionStrategy extends PassportStrategy(Strategy, SESSION_STRATEGY) {
  constructor(@Inject(ENVIRONMENT) { session }: Environment, keys: SessionKeys) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: (_request: unknown, token: string, done: KeyCallback) => {
        const found = keys.keyOf(token).then((key) => done(null, key as KeyObject & string), done);
        inBackground('Authenticating a session', found);
      },
      algorithms: [...session.algorithms],
      ...(session.issuer && { issuer: session.issuer }),
      ...(session.audience && { audience: session.audience }),
      jsonWebTokenOptions: { clockTolerance: CLOCK_TOLERANCE_SECONDS },
    });
  }

  /** The signature and the times fit; what the library leaves optional is required here. */
  validate({ exp, sub }: JwtPayload): Principal {
    if (!Number.isFinite(exp)) throw new SessionRefusedError('exp', 'is missing, or no number');
    if (!isOwnerId(sub)) throw new SessionRefusedError('sub', 'is missing, or no account');
    return Principal.session(sub);
  }
}
