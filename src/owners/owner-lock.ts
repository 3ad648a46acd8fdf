import type { EntityManager } from 'typeorm';

const LOCK = 'SELECT live_keys FROM owners WHERE owner_id = $1 FOR UPDATE';

/**
 * Locks an owner's keys and audit trail to the end of the transaction. Whoever changes keys does so before locking
 * any of them: in another order, two would wait for each other for ever.
 *
 * @returns how many keys of the owner are not revoked
 */
export async function lockOwner(tx: EntityManager, ownerId: string): Promise<number> {
  const [owner] = (await tx.query(LOCK, [ownerId])) as { live_keys: number }[];
  return owner?.live_keys ?? 0;
}

/** The same for an owner that may have no row yet, of which nobody could lock anything. */
export async function lockNewOwner(tx: EntityManager, ownerId: string): Promise<number> {
  await tx.query('INSERT INTO owners (owner_id) VALUES ($1) ON CONFLICT (owner_id) DO NOTHING', [ownerId]);
  return lockOwner(tx, ownerId);
}
