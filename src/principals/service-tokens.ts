import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Environment } from '../config/environment.js';
import { headerValues } from '@w3ipfs/api-keys-guard/decision';
import { AmbiguousCredentialsError, UnauthenticatedError } from './refusal-errors.js';

const SCHEME = /^Bearer +/i;

/** Identifies the platform's services by the tokens of `SERVICE_TOKENS`. */
export class ServiceTokens {
  /** By the digest of the token, so that the time of a look-up reveals nothing about a token. */
  private readonly names: ReadonlyMap<string, string>;

  constructor({ serviceTokens }: Pick<Environment, 'serviceTokens'>) {
    this.names = new Map(serviceTokens.map(({ name, token }) => [digestOf(token), `service:${name}`]));
  }

  /**
   * The service that a request comes from (`service:<name>`), by `Authorization: Bearer <service token>` (RFC 6750).
   *
   * @throws UnauthenticatedError; AmbiguousCredentialsError if the header is repeated
   */
  identify(request: IncomingMessage): string {
    const [authorization, ...others] = headerValues(request, 'authorization');
    if (others.length > 0) throw new AmbiguousCredentialsError('The header authorization is given more than once.');
    const name = this.nameOf(authorization);
    if (name === undefined) throw new UnauthenticatedError('INVALID_CREDENTIALS', HOW_TO);
    return name;
  }

  /** Whether one of the services sent a request. */
  isKnown(request: IncomingMessage): boolean {
    const [authorization, ...others] = headerValues(request, 'authorization');
    return others.length === 0 && this.nameOf(authorization) !== undefined;
  }

  private nameOf(authorization: string | undefined): string | undefined {
    const token = authorization && SCHEME.test(authorization) ? authorization.replace(SCHEME, '') : '';
    return this.names.get(digestOf(token));
  }
}

const HOW_TO = 'This route is for the services of the platform: send Authorization: Bearer <service token>.';

function digestOf(token: string): string {
  return hash('sha256', token, 'base64');
}
