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

/** The tolerated difference between the account service's clock and ours. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** The types of `passport-jwt` lack `KeyObject`, which `jsonwebtoken` takes. */
type KeyCallback = (error: unknown, key?: string) => void;

/** Authenticates a session token (JWT, RFC 7519) of the account service as its `sub`, the owner. */
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

  /** Called once the signature and the times are verified; requires the claims that the library leaves optional. */
  validate({ exp, sub }: JwtPayload): Principal {
    if (!Number.isFinite(exp)) throw new SessionRefusedError('exp', 'is missing, or not a number');
    if (!isOwnerId(sub)) throw new SessionRefusedError('sub', 'is missing, or not an account');
    return Principal.session(sub);
  }
}
