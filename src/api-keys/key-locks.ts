import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Clock } from '../clock.js';
import { ApiKey } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { assertMayManage } from './caller-rights.js';
import { ApiKeyNotFoundError } from './errors.js';
import { readLineage } from './cascades/lineage.js';

/** The locked rows of a change. */
interface LockedKeys {
  /** The key that the caller authenticated with; `null` for a session or an operator. */
  callingKey: ApiKey | null;
  target: ApiKey;
}

/** Locks the keys involved in a change, and checks that its caller may still make it. */
@Injectable()
export class KeyLocks {
  constructor(
    private readonly clock: Clock,
    private readonly dataSource: DataSource,
  ) {}

  /**
   * Locks the key to be changed and the one that the caller authenticated with. The owner is locked already.
   *
   * @throws ApiKeyNotFoundError unless the target is this owner's, and revoked neither by itself nor by a cascade;
   *   ApiError if the caller may no longer change keys
   */
  async lock(tx: EntityManager, caller: Caller, targetId: string): Promise<LockedKeys> {
    // PostgreSQL accepts ids in either case, and returns them in lower case
    const id = targetId.toLowerCase();
    const rows = await this.read(tx, caller, [id]);
    const target = rows.get(id);
    const callingKey = this.callerAmong(rows, caller);
    if (!target || target.revokedAt) throw new ApiKeyNotFoundError(targetId);
    return { callingKey, target };
  }

  /** Locks the key that the caller authenticated with. @throws ApiError if it may no longer change keys */
  async lockCaller(tx: EntityManager, caller: Caller): Promise<ApiKey | null> {
    return this.callerAmong(await this.read(tx, caller, []), caller);
  }

  /** Checks, without a lock, that the caller may change keys at this moment. @throws ApiError */
  async assertMayManage(caller: Caller): Promise<void> {
    if (!caller.key) return;
    const { manager } = this.dataSource;
    const row = await manager.findOneBy(ApiKey, { id: caller.key.id, ownerId: caller.ownerId });
    if (row) await this.applyCascades(manager, caller.ownerId, [row]);
    assertMayManage(row, caller, this.clock.now());
  }

  private callerAmong(rows: ReadonlyMap<string, ApiKey>, caller: Caller): ApiKey | null {
    if (!caller.key) return null;
    const row = rows.get(caller.key.id) ?? null;
    assertMayManage(row, caller, this.clock.now());
    return row;
  }

  /** Rows are locked in id order, as everywhere, to avoid deadlocks. */
  private async read(tx: EntityManager, { ownerId, key }: Caller, targets: string[]): Promise<Map<string, ApiKey>> {
    const ids = key ? [...targets, key.id] : targets;
    if (ids.length === 0) return new Map();
    const query = tx.createQueryBuilder(ApiKey, 'key').where('key.owner_id = :ownerId', { ownerId });
    const rows = await query
      .andWhere('key.id = ANY(:ids)', { ids })
      .orderBy('key.id')
      .setLock('pessimistic_write')
      .getMany();
    await this.applyCascades(tx, ownerId, rows);
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** Descendants of a running cascade's root count as revoked, before their rows are written. */
  private async applyCascades(tx: EntityManager, ownerId: string, rows: ApiKey[]): Promise<void> {
    const issued = rows.filter((row) => row.issuedBy !== null && row.revokedAt === null);
    if (issued.length === 0) return;
    const revoked = await readLineage(
      tx,
      ownerId,
      issued.map(({ id }) => id),
    );
    for (const row of issued) if (revoked.get(row.id)) row.revokedAt = new Date(this.clock.now());
  }
}
