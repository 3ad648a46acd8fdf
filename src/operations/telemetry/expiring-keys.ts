import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { databaseOutage } from '../../logging/database-outage.js';
import { Recurring } from '../../background/recurring.js';

const INTERVAL_MS = 600_000;
/** A bound on what the count costs where very many keys live shortly. */
const MAX_COUNTED = 10_000;

/** By the database's clock. Keys that nobody uses may expire without a word. */
const COUNT = `
  SELECT count(*)::int AS expiring FROM (
    SELECT FROM api_keys
    WHERE expires_at > now() AND expires_at < now() + interval '7 days' AND revoked_at IS NULL AND enabled
      AND last_used_at > now() - interval '7 days'
    LIMIT ${MAX_COUNTED}) AS soon`;

/** How many keys that were used in the last seven days expire within the next seven: somebody should renew them. */
@Injectable()
export class ExpiringKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  /** 10,000 at the most; NaN until it was counted. */
  count = Number.NaN;
  private readonly logger = new Logger(ExpiringKeys.name);
  private readonly recounting = new Recurring(() => this.tryToRecount(), INTERVAL_MS);

  constructor(private readonly dataSource: DataSource) {}

  onApplicationBootstrap(): void {
    this.recounting.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.recounting.stop();
  }

  private async tryToRecount(): Promise<void> {
    await this.recount().catch((error: unknown) =>
      databaseOutage.report(this.logger, 'Keys that expire soon could not be counted', error),
    );
  }

  async recount(): Promise<void> {
    const [{ expiring }] = (await this.dataSource.query(COUNT)) as [{ expiring: number }];
    this.count = expiring;
  }
}
