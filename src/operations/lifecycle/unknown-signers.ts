import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newestOfUnknownSigners } from '../../api-keys/credentials/signed-secrets.js';
import { inBackground } from '../../background/background.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

/**
 * Says at the start if `CREDENTIAL_KEYS` lacks what keys of this database were signed by: to their clients they are made-up
 * pairs, which nothing else in the log tells from wrong ones.
 */
@Injectable()
export class UnknownSigners implements OnApplicationBootstrap {
  private readonly logger = new Logger('CredentialKeys');

  constructor(
    private readonly dataSource: DataSource,
    private readonly keyring: CredentialKeyring,
  ) {}

  onApplicationBootstrap(): void {
    inBackground('Looking for the signers of the newest keys', this.check());
  }

  async check(): Promise<void> {
    const known = this.keyring.keys.map(({ fingerprint }) => fingerprint);
    const { count, signer } = await newestOfUnknownSigners(this.dataSource, known);
    if (count === 0) return;
    this.logger.warn(
      `CREDENTIAL_KEYS lacks the entry ${signer} that signed ${count === 1 ? 'one' : count} of the newest keys in this ` +
        'database: none of its keys passes here. npm run keys -- signed-by lists them.',
    );
  }
}
