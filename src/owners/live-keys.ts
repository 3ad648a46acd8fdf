import type { EntityManager } from 'typeorm';

/** Keeps the number of an owner's keys that are not revoked, in the transaction in which they come or go. */
export async function countLiveKeys(tx: EntityManager, ownerId: string, change: number): Promise<void> {
  await tx.query('UPDATE owners SET live_keys = live_keys + $2 WHERE owner_id = $1', [ownerId, change]);
}
