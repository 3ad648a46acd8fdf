import { Logger } from '@nestjs/common';
import type { Clock } from '../../config/clock.js';
import type { KeySet } from './key-set.js';

/** What goes on being wrong is said again after so long. */
const REPEAT_AFTER_MS = { failure: 60_000, privateKey: 600_000 };

/** Says in the log what is wrong with a key set, once and from time to time, and when that is over. */
export class KeySetLog {
  private readonly logger = new Logger('KeySet');
  private readonly saidAt = { failure: Number.NEGATIVE_INFINITY, privateKey: Number.NEGATIVE_INFINITY };

  /** @param endpoint its host and port */
  constructor(
    private readonly endpoint: string,
    private readonly clock: Clock,
  ) {}

  fetched({ privateKeys }: KeySet): void {
    if (this.saidAt.failure > Number.NEGATIVE_INFINITY)
      this.logger.log(`The key set at ${this.endpoint} is there again.`);
    this.saidAt.failure = Number.NEGATIVE_INFINITY;
    if (privateKeys.length === 0) this.saidAt.privateKey = Number.NEGATIVE_INFINITY;
    else if (this.isDue('privateKey')) {
      const which = `Key ${privateKeys.join(', ')} of the set at ${this.endpoint}`;
      this.logger.error(
        `${which} is published with its PRIVATE half. Whoever has read it can sign sessions of anybody: replace it. ` +
          'Until then its public half is used.',
      );
    }
  }

  /** @param hasSet whether there is an earlier one to go by */
  failed(error: Error, hasSet: boolean): void {
    if (!this.isDue('failure')) return;
    const meanwhile = hasSet ? 'The last good one is used for up to an hour.' : 'No session can be verified.';
    this.logger.warn(`${error.message}. ${meanwhile}`);
  }

  private isDue(what: keyof typeof REPEAT_AFTER_MS): boolean {
    const now = this.clock.steady();
    if (now - this.saidAt[what] < REPEAT_AFTER_MS[what]) return false;
    this.saidAt[what] = now;
    return true;
  }
}
