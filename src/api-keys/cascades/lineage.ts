import type { EntityManager } from 'typeorm';

type Queryable = Pick<EntityManager, 'query'>;

/**
 * Keys and all that they descend from, each once, while the owner has a cascade under way. By primary key, one after
 * the other, however long the chain and however large the table: OFFSET 0 keeps the planner from scanning it.
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
 * Whether each of some keys of an owner counts as revoked, being the root of a cascade under way or descending from
 * one; and the same of all that they descend from, as far as it was read.
 */
export async function readLineage(db: Queryable, ownerId: string, ids: string[]): Promise<Map<string, boolean>> {
  const ancestors = (await db.query(LINEAGE, [ids, ownerId])) as Ancestor[];
  return endedAmong(ancestors);
}

/** Of keys, by their issuers: which are a root or descend from one. */
export function endedAmong(ancestors: readonly Ancestor[]): Map<string, boolean> {
  const byId = new Map(ancestors.map((one) => [one.id, one]));
  const ended = new Map<string, boolean>();
  for (const { id } of ancestors) {
    const path: string[] = [];
    let at = byId.get(id);
    // What was met before, on this way or an earlier one, ends it: a chain that leads back to itself has no root
    while (at && !ended.has(at.id) && !at.is_root) {
      path.push(at.id);
      ended.set(at.id, false);
      at = byId.get(at.issued_by ?? '');
    }
    const isEnded = at !== undefined && (at.is_root || ended.get(at.id) === true);
    if (at?.is_root) ended.set(at.id, true);
    for (const one of path) ended.set(one, isEnded);
  }
  return ended;
}
