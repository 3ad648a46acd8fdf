import type { EntityManager } from 'typeorm';

/** Adjusts the number of an owner's unrevoked keys, in the transaction that issues or revokes them. */
export async function adjustLiveKeys(tx: EntityManager, ownerId: string, change: number): Promise<void> {
  await tx.query('UPDATE owners SET live_keys = live_keys + $2 WHERE owner_id = $1', [ownerId, change]);
}
