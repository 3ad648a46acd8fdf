import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ExactUses, type OtherCounters } from '../api-keys/exact-uses.js';

/** A guard asks several times a second; one that has not asked for this long is gone. */
const GONE_AFTER_MS = 60_000;
const MAX_GUARDS = 10_000;
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
  /** The number of the latest change that it was told of; see `ChangeLog`. */
  toldUntil: number;
}

/** The guards that have asked this process lately. */
@Injectable()
export class GuardSightings implements OtherCounters {
  readonly writtenWithinMs = WRITTEN_WITHIN_MS;
  private readonly guards = new LRUCache<string, Sighting>({ max: MAX_GUARDS, ttl: GONE_AFTER_MS });

  constructor(exactUses: ExactUses) {
    exactUses.waitFor(this);
  }

  /** Whether any guard has asked in the last minute. */
  get areAny(): boolean {
    return this.guards.size > 0 && [...this.guards.values()].length > 0;
  }

  /** Notes that a guard asks; `undefined` for clients of other kinds, which are not distinguished. */
  note(service: string, { headers }: IncomingMessage): Sighting | undefined {
    const id = GUARD.exec(headers['user-agent'] ?? '')?.[1];
    if (id === undefined) return undefined;
    const key = `${service} ${id}`;
    const sighting = this.guards.peek(key) ?? { service, askedAt: 0, toldUntil: 0 };
    sighting.askedAt = performance.now();
    this.guards.set(key, sighting);
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

  private byService(add: (sum: number | undefined, sighting: Sighting) => number): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const sighting of this.guards.values()) sums[sighting.service] = add(sums[sighting.service], sighting);
    return sums;
  }
}
