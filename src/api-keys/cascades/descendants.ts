import type { DataSource } from 'typeorm';

/** Small enough that a batch blocks the event loop, and locks the owner's row, for a few milliseconds. */
const MAX_BATCH = 200;
const MAX_PARENTS = 100;
/** An incomplete batch is returned after this time, so that the cascade can record its progress. */
const RETURN_AFTER_MS = 1_000;
const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** The next children of each parent, by the index on the issuer. */
const CHILDREN = `
  SELECT parent.id AS parent_id, child.*
  FROM unnest($1::uuid[], $2::uuid[]) AS parent (id, after)
  CROSS JOIN LATERAL (
    SELECT key.id, key.revoked_at IS NULL AS is_live,
           EXISTS (SELECT FROM api_keys AS issued WHERE issued.issued_by = key.id) AS has_issued
    FROM api_keys AS key
    WHERE key.issued_by = parent.id AND key.owner_id = $3 AND key.id > parent.after
    ORDER BY key.id LIMIT $4
  ) AS child`;

interface Child {
  parent_id: string;
  id: string;
  is_live: boolean;
  has_issued: boolean;
}

/** A key whose children with ids above `after` are still to be read. */
interface Parent {
  id: string;
  after: string;
}

/**
 * Walks all descendants of a revoked key, in pages, including those of keys that were revoked before. None is missed:
 * once a cascade has begun, its descendants cannot issue keys.
 */
export class Descendants {
  private readonly parents: Parent[];
  private readonly visited: Set<string>;
  private live: string[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly ownerId: string,
    rootId: string,
  ) {
    this.parents = [{ id: rootId, after: NIL_UUID }];
    this.visited = new Set([rootId]);
  }

  /** Whether `next()` has returned all. */
  get isDone(): boolean {
    return this.parents.length === 0 && this.live.length === 0;
  }

  /** The next descendants that are not revoked: fewer than `limit`, or none, at the end or if they take long to find. */
  async next(limit = MAX_BATCH): Promise<string[]> {
    const deadline = performance.now() + RETURN_AFTER_MS;
    while (this.live.length < limit && this.parents.length > 0 && performance.now() < deadline) await this.readPage();
    const next = this.live.slice(0, limit);
    this.live = this.live.slice(limit);
    return next;
  }

  /** Takes the parents found last (depth first), which bounds the pending ones by levels and pages. */
  private async readPage(): Promise<void> {
    const parents = this.parents.splice(-MAX_PARENTS);
    const childrenEach = Math.floor(MAX_BATCH / parents.length);
    const ids = parents.map(({ id }) => id);
    const after = parents.map((parent) => parent.after);
    const children = (await this.dataSource.query(CHILDREN, [ids, after, this.ownerId, childrenEach])) as Child[];
    const counts = new Map<string, number>();
    for (const child of children) {
      const count = (counts.get(child.parent_id) ?? 0) + 1;
      counts.set(child.parent_id, count);
      // The page is full: there may be more
      if (count === childrenEach) this.parents.push({ id: child.parent_id, after: child.id });
    }
    for (const child of children) this.visit(child);
  }

  private visit({ id, is_live: isLive, has_issued: hasIssued }: Child): void {
    if (isLive) this.live.push(id);
    // A cycle of issuers is walked once
    if (!hasIssued || this.visited.has(id)) return;
    this.visited.add(id);
    this.parents.push({ id, after: NIL_UUID });
  }
}
