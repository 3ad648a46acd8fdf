import { Logger } from '@nestjs/common';
import type { Clock } from '../../clock.js';
import { OutageLog } from '../../logging/outage-log.js';
import type { KeySet } from './key-set.js';

/** A private key that goes on being published is said again after so long. */
const REPEAT_AFTER_MS = 600_000;

/** Says in the log what is wrong with a key set, once and from time to time, and when that is over. */
export class KeySetLog {
  private readonly logger = new Logger('KeySet');
  private readonly outage: OutageLog;
  private saidPrivateAt = Number.NEGATIVE_INFINITY;

  /** @param endpoint its host and port */
  constructor(
    private readonly endpoint: string,
    private readonly clock: Clock,
  ) {
    this.outage = new OutageLog(this.logger, () => clock.steady());
  }

  fetched({ privateKeys }: KeySet): void {
    this.outage.recovered(`The key set at ${this.endpoint} is there again.`);
    if (privateKeys.length === 0) this.saidPrivateAt = Number.NEGATIVE_INFINITY;
    else if (this.isDue()) {
      const which = `Key ${privateKeys.join(', ')} of the set at ${this.endpoint}`;
      this.logger.error(
        `${which} is published with its PRIVATE half. Whoever has read it can sign sessions of anybody: replace it. ` +
          'Until then its public half is used.',
      );
    }
  }

  /** @param hasSet whether there is an earlier one to go by */
  failed(error: Error, hasSet: boolean): void {
    const meanwhile = hasSet ? 'The last good one is used for up to an hour.' : 'No session can be verified.';
    this.outage.failed(`${error.message}. ${meanwhile}`);
  }

  private isDue(): boolean {
    const now = this.clock.steady();
    if (now - this.saidPrivateAt < REPEAT_AFTER_MS) return false;
    this.saidPrivateAt = now;
    return true;
  }
}
