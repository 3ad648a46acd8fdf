import { Logger } from '@nestjs/common';
import type { Clock } from '../../clock.js';
import { OutageLog } from '../../logging/outage-log.js';
import type { KeySet } from './key-set.js';

/** The interval of the error while a private key is published. */
const REPEAT_AFTER_MS = 600_000;

/** Logs the problems of a key set, once and then at intervals, and their end. */
export class KeySetLog {
  private readonly logger = new Logger('KeySet');
  private readonly outage: OutageLog;
  private loggedPrivateAt = Number.NEGATIVE_INFINITY;

  /** @param endpoint its host and port */
  constructor(
    private readonly endpoint: string,
    private readonly clock: Clock,
  ) {
    this.outage = new OutageLog(this.logger, () => clock.steady());
  }

  fetched({ privateKeys }: KeySet): void {
    this.outage.recovered(`The key set at ${this.endpoint} is available again.`);
    if (privateKeys.length === 0) this.loggedPrivateAt = Number.NEGATIVE_INFINITY;
    else if (this.isDue()) {
      const which = `Key ${privateKeys.join(', ')} of the set at ${this.endpoint}`;
      this.logger.error(
        `${which} is published with its PRIVATE half. Anyone who has read it can sign sessions of any owner: replace it. ` +
          'Until then its public half is used.',
      );
    }
  }

  /** @param hasSet whether an earlier set can be used */
  failed(error: Error, hasSet: boolean): void {
    const meanwhile = hasSet ? 'The last good one is used for up to an hour.' : 'No session can be verified.';
    this.outage.failed(`${error.message}. ${meanwhile}`);
  }

  private isDue(): boolean {
    const now = this.clock.steady();
    if (now - this.loggedPrivateAt < REPEAT_AFTER_MS) return false;
    this.loggedPrivateAt = now;
    return true;
  }
}
