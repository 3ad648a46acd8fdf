import { Logger } from '@nestjs/common';
import {
  type Invalidation,
  KEY_CHANGES_CHANNEL,
  readNotification,
} from '../api-keys/invalidation/key-invalidations.js';
import { summarizeError } from '../logging/describe-error.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import type { SafeClient } from '../database/safe-client.js';
import { sqlStateOf } from '../database/sql-state.js';

/** Receives invalidations within milliseconds, by `LISTEN`. Warns once if the database does not support it. */
export class InvalidationNotifications {
  private readonly logger = new Logger('ChangeFeed');
  private hasWarned = false;

  /** @param pollEveryMs the interval of the poll, for the warning */
  constructor(
    private readonly onChange: (invalidation: Invalidation) => void,
    private readonly pollEveryMs: number,
  ) {}

  /** @throws whatever the database throws, unless it does not support notifications */
  async listen(client: SafeClient): Promise<void> {
    client.on('notification', ({ payload }) => this.onChange(readNotification(payload ?? '')));
    const reason = (await client.isPooled()) ? 'a pooler shares its connections' : await refusalOf(client);
    if (reason !== undefined) this.warnOnce(reason);
  }

  private warnOnce(reason: string): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    this.logger.warn(
      `The database sends no notifications (${reason}): changes that other processes make are found only by the poll, ` +
        `every ${this.pollEveryMs} ms.`,
    );
  }
}

/** Why the server rejects `LISTEN`; `undefined` if it accepts. */
async function refusalOf(client: SafeClient): Promise<string | undefined> {
  try {
    await client.query(`LISTEN ${KEY_CHANGES_CHANNEL}`);
    return undefined;
  } catch (error) {
    if (isDatabaseUnavailable(error) || typeof sqlStateOf(error) !== 'string') throw error;
    return `LISTEN: ${summarizeError(error)}`;
  }
}
