import { Logger } from '@nestjs/common';
import { KEY_CHANGES_CHANNEL } from '../api-keys/invalidation/key-invalidations.js';
import { summarizeError } from '../logging/describe-error.js';
import { isDatabaseUnavailable } from '../database/database-unavailable.js';
import type { SafeClient } from '../database/safe-client.js';
import { sqlStateOf } from '../database/sql-state.js';

/** Hears of changes within milliseconds where the database notifies of them (`LISTEN`); where it does not, says so once. */
export class InvalidationNotifications {
  private readonly logger = new Logger('ChangeFeed');
  private isMissed = false;

  /** @param pollEveryMs how often changes are looked for besides, in milliseconds */
  constructor(
    private readonly changed: (apiKey: string) => void,
    private readonly pollEveryMs: number,
  ) {}

  /** @throws whatever it fails with, but that the server knows no notifications */
  async listen(client: SafeClient): Promise<void> {
    client.on('notification', ({ payload }) => this.changed(payload ?? ''));
    const reason = (await client.isPooled()) ? 'a pooler hands out its connections' : await refusalOf(client);
    if (reason !== undefined) this.warnOfPollAlone(reason);
  }

  private warnOfPollAlone(reason: string): void {
    if (this.isMissed) return;
    this.isMissed = true;
    this.logger.warn(
      `The database notifies of no changes (${reason}): those that other processes make are learned of by the poll ` +
        `alone, every ${this.pollEveryMs} ms.`,
    );
  }
}

/** What the server says of a statement that it does not know; `undefined` if it listens. */
async function refusalOf(client: SafeClient): Promise<string | undefined> {
  try {
    await client.query(`LISTEN ${KEY_CHANGES_CHANNEL}`);
    return undefined;
  } catch (error) {
    if (isDatabaseUnavailable(error) || typeof sqlStateOf(error) !== 'string') throw error;
    return `LISTEN: ${summarizeError(error)}`;
  }
}
