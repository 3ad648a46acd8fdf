import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { databaseOutage } from '../../logging/database-outage.js';
import { Recurring } from '../../background/recurring.js';

const INTERVAL_MS = 600_000;
/** Limits the cost of the count if many keys are short-lived. */
const MAX_COUNTED = 10_000;

/** By the database's clock. Unused keys are not counted. */
const COUNT = `
  SELECT count(*)::int AS expiring FROM (
    SELECT FROM api_keys
    WHERE expires_at > now() AND expires_at < now() + interval '7 days' AND revoked_at IS NULL AND enabled
      AND last_used_at > now() - interval '7 days'
    LIMIT ${MAX_COUNTED}) AS soon`;

/** Counts the keys used in the last seven days that expire within the next seven, and should be renewed. */
@Injectable()
export class ExpiringKeys implements OnApplicationBootstrap, OnApplicationShutdown {
  /** At most 10,000; NaN until the first count. */
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
      databaseOutage.report(this.logger, 'Counting the keys that expire soon failed', error),
    );
  }

  async recount(): Promise<void> {
    const [{ expiring }] = (await this.dataSource.query(COUNT)) as [{ expiring: number }];
    this.count = expiring;
  }
}
