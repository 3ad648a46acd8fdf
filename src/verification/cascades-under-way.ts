import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { cascadeAnnouncement, isCascadeAnnouncement } from '../api-keys/invalidation/announcements.js';
import { Cascades } from '../api-keys/cascades/cascades.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { startStep } from '../config/start-steps.js';
import { inBackground } from '../background/background.js';
import { databaseOutage } from '../logging/database-outage.js';
import { VERIFICATION_POOL } from '../database/database.module.js';
import { withTimeout } from '../database/with-timeout.js';
import { InvalidationFeed } from './invalidation-feed.js';
import { CascadedKeys } from './cascaded-keys.js';
import type { CachedKey } from './cache/cached-key.js';

const EVERY_MS = 1_000;
const READ_WITHIN_MS = 2_000;

interface CascadeRow {
  root_id: string;
  owner_id: string;
}

/**
 * The cascades under way, as far as this process has heard: while an owner has one, each of its keys that another key
 * issued is asked for its ancestors before it is used. They are learned of by the change feed, within the bound of any
 * revocation, and read at the start, and from time to time until they are over.
 */
@Injectable()
export class CascadesUnderWay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(CascadesUnderWay.name);
  /** By what their cascades are announced with. */
  private readonly owners = new Map<string, CascadedKeys>();
  /** Whether all that had begun when the feed last lost its thread are known. */
  private isCertain = false;
  private uncertainties = 0;
  private reading: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly cascades: Cascades,
    feed: InvalidationFeed,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    feed.subscribe({
      changed: (texts) => this.hear(texts),
      anyMayHaveChanged: () => this.loseCertainty(),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => {
      this.looking = this.lookAfter();
      inBackground('Looking after cascades', this.looking);
    }, EVERY_MS).unref();
    await startStep('the cascades under way (the table cascades)', this.refresh());
    await this.lookAfter();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
    await this.next?.catch(() => undefined);
  }

  /** Whether all are known that had begun when the feed was last known to miss nothing. */
  get areKnown(): boolean {
    return this.isCertain;
  }

  get areAny(): boolean {
    return this.owners.size > 0;
  }

  /**
   * The key as the cascades that this process knows of leave it: revoked, where it descends from the root of one.
   *
   * @throws by its promise, whatever the database throws, where that has to be asked
   */
  settle(key: CachedKey): CachedKey | Promise<CachedKey> {
    if (key.issuedBy === null) return key;
    const isEnded = this.owners.get(cascadeAnnouncement(key.ownerId))?.has(key) ?? false;
    if (isEnded instanceof Promise) return isEnded.then((answer) => (answer ? key.revoked() : key));
    return isEnded ? key.revoked() : key;
  }

  /**
   * Reads which are under way. Whoever asks while that is being read waits for the next reading, so that it is later
   * than the question.
   */
  refresh(): Promise<void> {
    this.next ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return (this.reading = this.read());
      });
    return this.next;
  }

  private async read(): Promise<void> {
    const began = performance.now();
    const { uncertainties } = this;
    const query = this.dataSource.query('SELECT root_id, owner_id FROM cascades');
    this.note((await withTimeout(READ_WITHIN_MS, query)) as CascadeRow[], began);
    if (uncertainties === this.uncertainties) this.isCertain = true;
  }

  private note(rows: readonly CascadeRow[], readAt: number): void {
    for (const { root_id: rootId, owner_id: ownerId } of rows) {
      this.ofOwner(cascadeAnnouncement(ownerId)).addRoot(rootId);
    }
    const present = new Set(rows.map((row) => cascadeAnnouncement(row.owner_id)));
    // By then, either the changes of the cascade's last rows have been heard of, or nothing remembered is believed
    const isOver = (ended: CascadedKeys) => ended.isOver(readAt, this.environment.revocationBoundMs);
    for (const [owner, ended] of this.owners) {
      if (present.has(owner)) ended.isThere();
      else if (isOver(ended)) this.owners.delete(owner);
    }
  }

  private hear(changed: readonly string[]): void {
    for (const text of changed) if (isCascadeAnnouncement(text)) this.ofOwner(text).hearOfAnother();
  }

  private loseCertainty(): void {
    this.uncertainties++;
    this.isCertain = false;
    for (const ended of this.owners.values()) ended.hearOfAnother();
  }

  private ofOwner(owner: string): CascadedKeys {
    let ended = this.owners.get(owner);
    if (!ended) this.owners.set(owner, (ended = new CascadedKeys(this.dataSource)));
    return ended;
  }

  /** While there are any: reads whether they are over, and resumes what a process has left that has ended. */
  private async lookAfter(): Promise<void> {
    if (!this.areAny && this.areKnown) return;
    try {
      await this.refresh();
      await this.cascades.resume();
    } catch (error) {
      databaseOutage.report(this.logger, 'Cascades under way could not be read', error);
    }
  }
}
