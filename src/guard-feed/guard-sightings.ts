import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { DataSource } from 'typeorm';
import { ExactUses, type OtherCounters } from '../api-keys/exact-uses.js';
import { GUARDS_ANNOUNCEMENT } from '../api-keys/invalidation/announcements.js';
import { KeyTransactions } from '../api-keys/invalidation/key-transactions.js';
import { inBackground } from '../background/background.js';

/** A guard asks several times a second; one that has not asked for this long is gone. */
const GONE_AFTER_MS = 60_000;
const MAX_GUARDS = 10_000;
/** A process whose guards ask announces that there are some, so that the others know it, and the same after a restart. */
const ANNOUNCE_EVERY_MS = 20_000;
const ANNOUNCED = `SELECT FROM key_changes WHERE api_key = $1 AND changed_at > now() - interval '${GONE_AFTER_MS} ms' LIMIT 1`;
/** As guards introduce themselves: with the id that they report under. */
const GUARD = /^w3ipfs-api-keys-guard\/[\w.-]{1,40} \(([\w-]{22})\)$/;

/** Until its uses of a key are written: until it reports them (a second), until they are written (another), and some. */
const WRITTEN_WITHIN_MS = 2_500;

/** A guard that has asked this process for changes. */
export interface Sighting {
  /** Its service, `service:<name>`. */
  readonly service: string;
  /** By the steady clock, in milliseconds. */
  askedAt: number;
  /** The number of the latest change that it was sent; see `ChangeLog`. */
  sentUntil: number;
}

/** The guards that have asked this process in the last minute, and whether any have asked another. */
@Injectable()
export class GuardSightings implements OtherCounters {
  readonly writtenWithinMs = WRITTEN_WITHIN_MS;
  private readonly guards = new LRUCache<string, Sighting>({ max: MAX_GUARDS, ttl: GONE_AFTER_MS });
  /** By the steady clock. */
  private announcedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly transactions: KeyTransactions,
    private readonly dataSource: DataSource,
    exactUses: ExactUses,
  ) {
    exactUses.waitFor(this);
  }

  /** Whether any guard has asked this process or another in the last minute. @throws the database's errors */
  async areAny(): Promise<boolean> {
    const areHere = [...this.guards.values()].length > 0;
    return areHere || (await this.dataSource.query<object[]>(ANNOUNCED, [GUARDS_ANNOUNCEMENT])).length > 0;
  }

  /** Notes that a guard asks; `undefined` for clients of other kinds, which are not distinguished. */
  note(service: string, { headers }: IncomingMessage): Sighting | undefined {
    const id = GUARD.exec(headers['user-agent'] ?? '')?.[1];
    if (id === undefined) return undefined;
    const key = `${service} ${id}`;
    const sighting = this.guards.peek(key) ?? { service, askedAt: 0, sentUntil: 0 };
    sighting.askedAt = performance.now();
    this.guards.set(key, sighting);
    this.announce(sighting.askedAt);
    return sighting;
  }

  /** The number of guards by service. */
  get counts(): Record<string, number> {
    return this.byService((count = 0) => count + 1);
  }

  /** By service, the seconds since the guard that has been silent for the longest asked. */
  get lags(): Record<string, number> {
    const now = performance.now();
    return this.byService((lag = 0, { askedAt }) => Math.max(lag, (now - askedAt) / 1_000));
  }

  private announce(now: number): void {
    if (now - this.announcedAt < ANNOUNCE_EVERY_MS) return;
    this.announcedAt = now;
    inBackground('Announcing that there are guards', this.transactions.announce(GUARDS_ANNOUNCEMENT));
  }

  private byService(add: (sum: number | undefined, sighting: Sighting) => number): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const sighting of this.guards.values()) sums[sighting.service] = add(sums[sighting.service], sighting);
    return sums;
  }
}
