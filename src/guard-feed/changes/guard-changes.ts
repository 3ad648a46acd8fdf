import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { GUARDS_ANNOUNCEMENT } from '../../api-keys/invalidation/announcements.js';
import type { Invalidation } from '../../api-keys/invalidation/key-invalidations.js';
import type { Position } from '../../verification/feed-position.js';
import { InvalidationFeed, type Reached } from '../../verification/invalidation-feed.js';
import { millisecondsSince } from '../../verification/moment.js';
import type { Sighting } from '../guard-sightings.js';
import { changeHandle } from '@w3ipfs/api-keys-guard/decision';
import { type Change, ChangeLog } from './change-log.js';
import type { ChangesQuery } from './changes-query.js';
import { PositionExpiredError } from './errors.js';
import { OlderChanges } from './older-changes.js';
import { Waiters } from './waiters.js';

/** The answer to a guard. */
export interface ChangesAnswer {
  position: Position;
  /** Since the poll that reached the position began: what had changed by then is in this answer, or in an earlier one. */
  ageMs: number;
  /** For how long the question was held. */
  heldMs: number;
  boundMs: number;
  changed: readonly Change[];
}

/**
 * Answers guards with the keys that have changed. A question waits until there is a change that its guard was not sent, or
 * for as long as it says. Nothing depends on which process answers it, or on what another answer contained.
 */
@Injectable()
export class GuardChanges {
  readonly waiters = new Waiters();
  private readonly polls = new Waiters();
  private log = new ChangeLog();
  /** Those whose transactions are unknown: of a process of an earlier release. The next poll finds them again. */
  private undated: Change[] = [];
  /** The position of the first poll on this server. */
  private begun: bigint | undefined;

  constructor(
    private readonly feed: InvalidationFeed,
    private readonly older: OlderChanges,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    feed.subscribe({
      changed: (invalidations) => this.add(invalidations),
      anyMayHaveChanged: (isOtherServer) => isOtherServer && this.beginAnew(),
      polled: (position) => this.reach(position),
    });
  }

  /**
   * @param guard which asks, if it is known: this process sends it each change at once
   * @throws PositionExpiredError; UnavailableError if too many are waiting; what the database throws
   */
  async ask({ since, epoch, waitMs }: ChangesQuery, guard: Sighting | undefined): Promise<ChangesAnswer> {
    const askedAt = performance.now();
    if (since === undefined) return this.answer([], this.feed.reached, askedAt);
    if (epoch !== undefined && epoch !== this.feed.position?.epoch) throw new PositionExpiredError();
    if (!this.log.isComplete || this.isAhead(since)) await this.awaitPoll(since, askedAt);
    await this.awaitChanges(since, guard, askedAt + waitMs);
    const changed = this.log.since(since);
    if (!changed) return this.answerFromTable(since, askedAt);
    if (guard) guard.sentUntil = this.log.lastNumber;
    return this.answer([...changed, ...this.undated], this.feed.reached, askedAt);
  }

  /** The guard counts as sent nothing: its next question is answered at once, from the log. */
  private async answerFromTable(since: bigint, askedAt: number): Promise<ChangesAnswer> {
    const older = await this.older.since(since);
    if (!older) throw new PositionExpiredError();
    return this.answer([...older.changes, ...this.undated], older.reached, askedAt);
  }

  /** @param reached what the changes are complete up to: never what was reached after they were read */
  private answer(changed: readonly Change[], reached: Reached | undefined, askedAt: number): ChangesAnswer {
    // Polled before the first request is accepted
    if (!reached) throw new Error('the invalidation feed has not been polled yet');
    const { revocationBoundMs: boundMs } = this.environment;
    const heldMs = performance.now() - askedAt;
    return { position: reached.position, ageMs: millisecondsSince(reached.polledAt), heldMs, boundMs, changed };
  }

  /** Waits for a change since a position, until a moment of the steady clock at most. */
  private async awaitChanges(since: bigint, guard: Sighting | undefined, latest: number): Promise<void> {
    while (!this.hasChanges(since, guard) && performance.now() < latest) {
      await this.waiters.wait(latest - performance.now());
      // Which changes it has been sent is unknown
      if (!guard) return;
    }
  }

  /** Whether there is a change since a position that was not sent yet. Other clients than guards get those that are passed. */
  private hasChanges(since: bigint, guard: Sighting | undefined): boolean {
    const changed = this.log.since(since);
    if (!changed) return true;
    if (guard) return changed.some(({ number }) => number > guard.sentUntil);
    const passed = BigInt(this.feed.position?.oldest ?? 0);
    return changed.some(({ at }) => at < passed);
  }

  /** Whether a position was reached by a process that is ahead, or in a later state of the database than this one. */
  private isAhead(since: bigint): boolean {
    return since > BigInt(this.feed.position?.oldest ?? 0);
  }

  /**
   * Waits for a poll that began after the question, and for a complete log.
   *
   * @throws PositionExpiredError if the position is ahead even then: the database is in an earlier state
   */
  private async awaitPoll(since: bigint, askedAt: number): Promise<void> {
    const latest = askedAt + this.environment.revocationBoundMs;
    while (performance.now() < latest) {
      await this.polls.wait(latest - performance.now());
      const isLater = this.feed.age < performance.now() - askedAt;
      if (isLater && this.isAhead(since)) throw new PositionExpiredError();
      if (this.log.isComplete && !this.isAhead(since)) return;
    }
  }

  private add(invalidations: readonly Invalidation[]): void {
    let hasNew = false;
    for (const { identifier, transactionId } of invalidations) {
      if (identifier === GUARDS_ANNOUNCEMENT) continue;
      const h = changeHandle(identifier);
      const isNew =
        transactionId === null ? this.undated.push({ h, at: null }) > 0 : this.log.add(h, BigInt(transactionId));
      hasNew ||= isNew;
    }
    if (hasNew) this.waiters.wake();
  }

  /** The first poll reports no changes; the second one all since the first. */
  private reach({ oldest }: Position): void {
    if (this.begun === undefined) this.begun = BigInt(oldest);
    else this.log.completeSince(this.begun);
    this.undated = [];
    this.polls.wakeNow();
  }

  private beginAnew(): void {
    this.log = new ChangeLog();
    this.begun = undefined;
  }
}
