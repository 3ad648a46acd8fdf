import { Injectable } from '@nestjs/common';
import { tooMany } from '../contract/api-error.js';
import { Turns } from '../contract/turns.js';

/** How many of one owner's reads are under way at once, and how many wait: more than it has management places. */
const LIMITS = { running: 2, queued: 50 };

/**
 * Bounds the database connections that one owner's searches hold: each waits for its turn before it takes one. Run
 * within the work one query after the other.
 */
@Injectable()
export class OwnerReads extends Turns {
  constructor() {
    super(LIMITS, () => tooMany('Too many of your requests are reading.'));
  }
}
