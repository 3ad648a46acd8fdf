import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { type CredentialKeys, credentialKey } from './credentials.js';

/** The server keys of `CREDENTIAL_KEYS`. */
@Injectable()
export class CredentialKeyring {
  readonly keys: CredentialKeys;

  constructor(@Inject(ENVIRONMENT) { serverKeys: [first, ...others] }: Pick<Environment, 'serverKeys'>) {
    this.keys = [credentialKey(first), ...others.map(credentialKey)];
  }
}
