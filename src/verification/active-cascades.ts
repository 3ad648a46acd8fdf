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
import { OwnerCascades } from './owner-cascades.js';
import type { CachedKey } from './cache/cached-key.js';

const CHECK_EVERY_MS = 1_000;
const READ_TIMEOUT_MS = 2_000;

interface CascadeRow {
  root_id: string;
  owner_id: string;
}

/**
 * The active cascades, as far as this process knows. While an owner has one, the ancestors of each of its keys that
 * another key issued are checked before the key is used: the cascade may not have reached the key's row yet.
 *
 * The invalidation feed announces cascades, within the same bound as any revocation. They are also read at the start,
 * and periodically until they are complete.
 */
@Injectable()
export class ActiveCascades implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ActiveCascades.name);
  /** By the announcement of the owner's cascades. */
  private readonly owners = new Map<string, OwnerCascades>();
  /** Whether the cascades were read since changes were last missed. */
  private isCertain = false;
  private gaps = 0;
  private reading: Promise<void> = Promise.resolve();
  private nextReading: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private checking: Promise<void> = Promise.resolve();

  constructor(
    @Inject(VERIFICATION_POOL) private readonly dataSource: DataSource,
    private readonly cascades: Cascades,
    feed: InvalidationFeed,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {
    feed.subscribe({
      changed: (invalidations) => this.noteAnnouncements(invalidations.map(({ identifier }) => identifier)),
      anyMayHaveChanged: () => this.noteGap(),
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    this.timer = setInterval(() => {
      this.checking = this.check();
      inBackground('Checking the active cascades', this.checking);
    }, CHECK_EVERY_MS).unref();
    await startStep('the active cascades (the table cascades)', this.refresh());
    await this.check();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.checking;
    await this.nextReading?.catch(() => undefined);
  }

  /** Whether all are known that had begun when the feed was last known to miss nothing. */
  get areKnown(): boolean {
    return this.isCertain;
  }

  get areAny(): boolean {
    return this.owners.size > 0;
  }

  /** Whether a known cascade may revoke the key, so that `apply()` has to decide. Part of every cache hit. */
  mayRevoke(key: CachedKey): boolean {
    return key.issuedBy !== null && this.owners.size > 0 && this.owners.has(cascadeAnnouncement(key.ownerId));
  }

  /**
   * The key with the known cascades applied: revoked if it descends from the root of one.
   *
   * @throws UnavailableError; LateAnswerError; whatever the database throws
   */
  async apply(key: CachedKey): Promise<CachedKey> {
    if (key.issuedBy === null || !this.areAny) return key;
    const isRevoked = await this.owners.get(cascadeAnnouncement(key.ownerId))?.revokes(key);
    return isRevoked ? key.revoked() : key;
  }

  /** Reads the active cascades. Callers during a read wait for the next one, so that it starts after they asked. */
  refresh(): Promise<void> {
    this.nextReading ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.nextReading = undefined;
        return (this.reading = this.read());
      });
    return this.nextReading;
  }

  private async read(): Promise<void> {
    const startedAt = performance.now();
    const { gaps } = this;
    const query = this.dataSource.query('SELECT root_id, owner_id FROM cascades');
    this.update((await withTimeout(READ_TIMEOUT_MS, query)) as CascadeRow[], startedAt);
    if (gaps === this.gaps) this.isCertain = true;
  }

  private update(rows: readonly CascadeRow[], readAt: number): void {
    for (const { root_id: rootId, owner_id: ownerId } of rows) {
      this.ofOwner(cascadeAnnouncement(ownerId)).addRoot(rootId);
    }
    const present = new Set(rows.map((row) => cascadeAnnouncement(row.owner_id)));
    // A bound after a cascade is complete, its last rows have been invalidated, or nothing cached is trusted
    const isOver = (cascades: OwnerCascades) => cascades.isOver(readAt, this.environment.revocationBoundMs);
    for (const [owner, cascades] of this.owners) {
      if (present.has(owner)) cascades.markPresent();
      else if (isOver(cascades)) this.owners.delete(owner);
    }
  }

  private noteAnnouncements(changed: readonly string[]): void {
    for (const text of changed) if (isCascadeAnnouncement(text)) this.ofOwner(text).noteNewCascade();
  }

  private noteGap(): void {
    this.gaps++;
    this.isCertain = false;
    for (const cascades of this.owners.values()) cascades.noteNewCascade();
  }

  private ofOwner(owner: string): OwnerCascades {
    let cascades = this.owners.get(owner);
    if (!cascades) this.owners.set(owner, (cascades = new OwnerCascades(this.dataSource)));
    return cascades;
  }

  /** While there are any: checks whether they are complete, and resumes those that a terminated process left. */
  private async check(): Promise<void> {
    if (!this.areAny && this.areKnown) return;
    try {
      await this.refresh();
      await this.cascades.resume();
    } catch (error) {
      databaseOutage.report(this.logger, 'The active cascades could not be read', error);
    }
  }
}
