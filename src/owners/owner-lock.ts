import type { EntityManager } from 'typeorm';

const LOCK = 'SELECT live_keys FROM owners WHERE owner_id = $1 FOR UPDATE';

/**
 * Locks an owner's keys and audit trail until the end of the transaction. Every change takes this lock before any lock on
 * a key; another order could deadlock.
 *
 * @returns the number of the owner's unrevoked keys
 */
export async function lockOwner(tx: EntityManager, ownerId: string): Promise<number> {
  const [owner] = (await tx.query(LOCK, [ownerId])) as { live_keys: number }[];
  return owner?.live_keys ?? 0;
}

/** The same for an owner that may not have a row yet: without one there is nothing to lock. */
export async function lockOrCreateOwner(tx: EntityManager, ownerId: string): Promise<number> {
  await tx.query('INSERT INTO owners (owner_id) VALUES ($1) ON CONFLICT (owner_id) DO NOTHING', [ownerId]);
  return lockOwner(tx, ownerId);
}
