import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import { inBackground } from '../../background/background.js';
import { ClientAddress } from '../../http/client-address.js';
import { API_KEY_HEADER } from '@w3ipfs/api-keys-guard/decision';
import { presentedCredentials } from '../../principals/presented-credentials.js';
import { Principal } from '../../principals/principal.js';
import { refusalError } from '../../principals/refusal-errors.js';
import { Verifier } from '../../verification/verifier.js';
import { Denial } from '../denial.js';

export const API_KEY_STRATEGY = 'api-key';

/**
 * Authenticates a key pair, in any of the forms that `readCredentials()` reads, as the key, with the rights in its scopes.
 *
 * Registers itself: Nest's `PassportStrategy` takes the last argument of a verify function for its callback, which in this
 * strategy is the request.
 */
@Injectable()
export class ApiKeyStrategy extends HeaderAPIKeyStrategy {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
  ) {
    super({ header: API_KEY_HEADER, prefix: '' }, true, (_apiKey, done, request) => {
      const settled = this.validate(request as IncomingMessage).then(
        (outcome) => (outcome instanceof Denial ? done(null, undefined, outcome) : done(null, outcome)),
        (failure: Error) => done(failure),
      );
      inBackground('Authenticating a key pair', settled);
    });
    passport.use(API_KEY_STRATEGY, this);
  }

  private async validate(request: IncomingMessage): Promise<Principal | Denial> {
    const credentials = presentedCredentials(request);
    if ('token' in credentials) return new Denial(refusalError('INVALID_CREDENTIALS'));
    const ip = this.clientAddress.of(request);
    const { valid, code, key } = await this.verifier.identify(credentials.pair, { scopes: [], ip });
    if (valid) return Principal.apiKey(key);
    return new Denial(refusalError(code), key && Principal.apiKey(key));
  }
}
