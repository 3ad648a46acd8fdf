import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { isGenuine } from '../api-keys/credentials/credentials.js';
import { fastifyOf } from '../http/fastify.js';
import { hasBody } from '../http/body/unread-body.js';
import { Verifier } from '../verification/verifier.js';
import { isOpen } from '../principals/decorators/public.decorator.js';
import { refusalError } from '../principals/refusal-errors.js';
import { presentedCredentials } from '../principals/presented-credentials.js';
import { CredentialKeyring } from '../api-keys/credentials/credential-keyring.js';

/**
 * Refuses, before the body of a request is read, whoever presents nothing, too much, or what cannot be right: a token
 * that is none, or a pair that no server key has minted. Whether it is right is for the guards to find out.
 */
@Injectable()
export class HeaderCheck implements OnModuleInit {
  constructor(
    private readonly verifier: Verifier,
    private readonly adapterHost: HttpAdapterHost,
    private readonly keyring: CredentialKeyring,
  ) {}

  onModuleInit(): void {
    fastifyOf(this.adapterHost)?.addHook('preParsing', async (request) => {
      if (wantsCredentials(request)) await this.check(request);
    });
  }

  /** @throws UnauthenticatedError, AmbiguousCredentialsError */
  private async check({ raw }: FastifyRequest): Promise<void> {
    const presented = presentedCredentials(raw);
    if ('token' in presented || isGenuine(presented.pair, this.keyring.keys)) return;
    // Counted like every other verdict
    const { valid, code } = await this.verifier.identify(presented.pair, { scopes: [], ip: undefined });
    if (!valid) throw refusalError(code);
  }
}

/** Direct routes look at the headers themselves. */
function wantsCredentials({ raw, routeOptions: { url, config } }: FastifyRequest): boolean {
  return hasBody(raw) && url?.startsWith('/api/') === true && !('direct' in config) && !isOpen(config);
}
