import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CredentialKeyring } from '../api-keys/credentials/credential-keyring.js';
import { isGenuine } from '../api-keys/credentials/credentials.js';
import { hasBody } from '../http/body/unread-body.js';
import { traitsOf } from '../http/route-config.js';
import { presentedCredentials } from '../principals/presented-credentials.js';
import { refusalError } from '../principals/refusal-errors.js';
import { ServiceTokens } from '../principals/service-tokens.js';
import { Verifier } from '../verification/verifier.js';

/**
 * Rejects requests before their body is read if the headers suffice: no credentials, ambiguous ones, an unknown service
 * token, a token that is not a JWT, or a pair that no server key signed. The guards decide on the rest.
 */
@Injectable()
export class HeaderCheck {
  constructor(
    private readonly verifier: Verifier,
    private readonly serviceTokens: ServiceTokens,
    private readonly keyring: CredentialKeyring,
  ) {}

  /** @throws UnauthenticatedError, AmbiguousCredentialsError */
  async check({ raw, context, routeOptions }: FastifyRequest): Promise<void> {
    const { load, isForServices, readsAnyBody } = traitsOf(routeOptions.config);
    if (isForServices) {
      context.caller = this.serviceTokens.identify(raw);
      return;
    }
    if (load !== 'management' || readsAnyBody || !hasBody(raw)) return;
    const presented = presentedCredentials(raw);
    if ('token' in presented || isGenuine(presented.pair, this.keyring.keys)) return;
    // Counted like every other verdict
    const { valid, code } = await this.verifier.identify(presented.pair, { scopes: [], ip: undefined });
    if (!valid) throw refusalError(code);
  }
}
