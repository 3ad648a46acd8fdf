import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { newestOfUnknownSigners } from '../../api-keys/credentials/signed-secrets.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

/**
 * Warns at the start if `CREDENTIAL_KEYS` lacks an entry that signed recent keys of this database. Their pairs would be
 * rejected like invalid ones, without any other trace in the log.
 */
@Injectable()
export class UnknownSigners implements OnApplicationBootstrap {
  private readonly logger = new Logger('CredentialKeys');

  constructor(
    private readonly dataSource: DataSource,
    private readonly keyring: CredentialKeyring,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const known = this.keyring.keys.map(({ fingerprint }) => fingerprint);
    const { count, signer } = await newestOfUnknownSigners(this.dataSource, known);
    if (count === 0) return;
    this.logger.warn(
      `CREDENTIAL_KEYS lacks the entry ${signer} that signed ${count === 1 ? 'one' : count} of the newest keys in this ` +
        'database, so their pairs are rejected. To list them: npm run keys -- signed-by',
    );
  }
}
