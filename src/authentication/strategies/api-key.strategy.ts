import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { inBackground } from '../../background/background.js';
import { ClientAddress } from '../../http/client-address.js';
import { ApiError } from '../../http/errors/api-error.js';
import { readCredentials } from '../../principals/presented-credentials.js';
import { Principal } from '../../principals/principal.js';
import { refusalError } from '../../principals/refusal-errors.js';
import { Verifier } from '../../verification/verifier.js';
import { Denial } from '../denial.js';

export const API_KEY_STRATEGY = 'api-key';

/**
 * Authenticates a key pair, in any of the forms that `readCredentials()` reads, as the key, with the rights in its scopes.
 * Registers itself, as Nest's `PassportStrategy` does for strategies with a verify callback.
 */
@Injectable()
export class ApiKeyStrategy extends passport.Strategy {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
  ) {
    super();
    passport.use(API_KEY_STRATEGY, this);
  }

  override authenticate(request: IncomingMessage): void {
    const settled = this.validate(request).then(
      (outcome) => (outcome instanceof Denial ? this.fail(outcome) : this.success(outcome)),
      (failure: unknown) => this.error(failure),
    );
    inBackground('Authenticating a key pair', settled);
  }

  private async validate(request: IncomingMessage): Promise<Principal | Denial> {
    const credentials = readCredentials(request);
    if (credentials instanceof ApiError) return new Denial(credentials);
    if ('token' in credentials) return new Denial(refusalError('INVALID_CREDENTIALS'));
    const ip = this.clientAddress.of(request);
    const { valid, code, key } = await this.verifier.identify(credentials.pair, { scopes: [], ip });
    if (valid) return Principal.apiKey(key);
    return new Denial(refusalError(code), key && Principal.apiKey(key));
  }
}
