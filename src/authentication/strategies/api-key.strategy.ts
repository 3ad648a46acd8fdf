import { Injectable } from '@nestjs/common';
import passport from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { KeyPair } from '../../principals/key-pair.js';
import { inBackground } from '../../background/background.js';
import { ClientAddress } from '../../http/client-address.js';
import { Verifier } from '../../verification/verifier.js';
import { refusalError } from '../../principals/refusal-errors.js';
import type { CallerRequest } from '../../principals/caller-request.js';
import { presentedCredentials } from '../../principals/presented-credentials.js';
import { Principal } from '../../principals/principal.js';

export const API_KEY_STRATEGY = 'api-key';
const HEADER = 'pinning_api_key';

/** The pair, and the address that it is presented from. */
interface Presented {
  pair: KeyPair;
  ip: string | undefined;
  request: Pick<CallerRequest, 'denied'>;
}

/** What Passport calls a request: for this strategy Fastify's, then one reduced to the pair. */
type PassportRequest = Parameters<HeaderAPIKeyStrategy['authenticate']>[0];

/**
 * Takes the key pair in the two headers for the key's owner, with the rights in its scopes.
 *
 * Registers itself, since Nest's `PassportStrategy` takes a verify function's last argument
 * for its callback, which in this strategy is the request.
 */
@Injectable()
export class ApiKeyStrategy extends HeaderAPIKeyStrategy {
  constructor(
    private readonly verifier: Verifier,
    private readonly clientAddress: ClientAddress,
  ) {
    super({ header: HEADER, prefix: '' }, true, (_apiKey, done, request) => {
      const validated = this.validate(request as unknown as Presented).then((principal) => done(null, principal), done);
      inBackground('Authenticating a key pair', validated);
    });
    passport.use(API_KEY_STRATEGY, this);
  }

  /** Gives the strategy one spelling of the header, whichever of the two the client wrote. */
  override authenticate(request: PassportRequest): void {
    const fastifyRequest = request as unknown as CallerRequest;
    const { raw } = fastifyRequest;
    const presented = presentedCredentials(raw);
    if (!('pair' in presented)) return this.fail(401);
    const { pair } = presented;
    const ip = this.clientAddress.of(raw);
    const reduced = { headers: { [HEADER]: pair.apiKey }, pair, ip, request: fastifyRequest };
    super.authenticate(reduced as unknown as PassportRequest);
  }

  async validate({ pair, ip, request }: Presented): Promise<Principal> {
    const verdict = await this.verifier.identify(pair, { scopes: [], ip });
    if (verdict.valid) return Principal.apiKey(verdict.key);
    if (verdict.key) request.denied = Principal.apiKey(verdict.key);
    throw refusalError(verdict.code);
  }
}
