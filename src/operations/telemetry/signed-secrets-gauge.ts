import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { countBySigner } from '../../api-keys/credentials/signed-secrets.js';
import { Clock } from '../../clock.js';
import { databaseOutage } from '../../logging/database-outage.js';
import { Metrics } from './metrics.js';
import { CredentialKeyring } from '../../api-keys/credentials/credential-keyring.js';

/** Counting reads every key, so it runs at most this often, and only on a scrape. */
const COUNT_MAX_AGE_MS = 600_000;

/**
 * The number of live secrets that each entry of `CREDENTIAL_KEYS` signed, which shows when a rotation is complete. A scrape
 * does not wait for the count, which may take seconds: it gets the last one, and the first scrape gets none.
 */
@Injectable()
export class SignedSecretsGauge implements OnModuleInit {
  private readonly logger = new Logger(SignedSecretsGauge.name);
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly metrics: Metrics,
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly keyring: CredentialKeyring,
  ) {}

  onModuleInit(): void {
    const gauge: Gauge = new Gauge({
      name: 'w3ipfs_keys_signed_secrets',
      help: 'Secrets of keys that are not revoked, by the fingerprint of the entry of CREDENTIAL_KEYS that signed them',
      labelNames: ['entry'],
      registers: [this.metrics.registry],
      collect: () => {
        if (this.clock.steady() - this.countedAt < COUNT_MAX_AGE_MS) return;
        this.countedAt = this.clock.steady();
        this.count(gauge).catch((error: unknown) =>
          databaseOutage.report(this.logger, 'Counting secrets by signer failed', error),
        );
      },
    });
  }

  private async count(gauge: Gauge): Promise<void> {
    const counts = await countBySigner(this.dataSource, new Date(this.clock.now()));
    gauge.reset();
    for (const { fingerprint } of this.keyring.keys) gauge.set({ entry: fingerprint }, 0);
    for (const [signer, count] of counts) gauge.set({ entry: signer ?? 'unknown' }, count);
  }
}
