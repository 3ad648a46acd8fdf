import type { EntityManager } from 'typeorm';

type Queryable = Pick<EntityManager, 'query'>;

/**
 * Keys and their ancestors, each once, while the owner has a running cascade. Ancestors are read one by one by primary
 * key, however large the table: OFFSET 0 prevents the planner from scanning it.
 */
const LINEAGE = `
  WITH RECURSIVE lineage AS (
    SELECT id, issued_by FROM api_keys
    WHERE id = ANY($1::uuid[]) AND owner_id = $2 AND EXISTS (SELECT FROM cascades WHERE owner_id = $2)
    UNION
    SELECT issuer.id, issuer.issued_by FROM lineage CROSS JOIN LATERAL (
      SELECT id, issued_by FROM api_keys WHERE id = lineage.issued_by AND owner_id = $2 OFFSET 0
    ) AS issuer
  )
  SELECT lineage.id, lineage.issued_by, root.root_id IS NOT NULL AS is_root
  FROM lineage LEFT JOIN cascades AS root ON root.root_id = lineage.id AND root.owner_id = $2`;

interface Ancestor {
  id: string;
  issued_by: string | null;
  is_root: boolean;
}

/**
 * Whether keys of an owner, and the ancestors that were read with them, count as revoked: as the root of a running
 * cascade, or as a descendant of one. Without a running cascade the map is empty.
 */
export async function readLineage(db: Queryable, ownerId: string, ids: string[]): Promise<Map<string, boolean>> {
  const ancestors = (await db.query(LINEAGE, [ids, ownerId])) as Ancestor[];
  return revokedAmong(ancestors);
}

/** Which keys are a root, or descend from one. */
export function revokedAmong(ancestors: readonly Ancestor[]): Map<string, boolean> {
  const byId = new Map(ancestors.map((key) => [key.id, key]));
  const revoked = new Map<string, boolean>();
  for (const { id } of ancestors) {
    const path: string[] = [];
    let at = byId.get(id);
    // Stop at a key that was visited before, on this path or an earlier one: a cycle has no root
    while (at && !revoked.has(at.id) && !at.is_root) {
      path.push(at.id);
      revoked.set(at.id, false);
      at = byId.get(at.issued_by ?? '');
    }
    const isRevoked = at !== undefined && (at.is_root || revoked.get(at.id) === true);
    if (at?.is_root) revoked.set(at.id, true);
    for (const visited of path) revoked.set(visited, isRevoked);
  }
  return revoked;
}
