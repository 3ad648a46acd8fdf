import type { DataSource } from 'typeorm';

/** So few that a batch keeps the event loop, and the owner's row, for some milliseconds. */
const KEYS_AT_ONCE = 200;
const MAX_PARENTS = 100;
/** What was found until then is told, so that whoever walks can note that it is being worked on. */
const TELL_AFTER_MS = 1_000;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** Of each parent, its next children, by an index of just that. */
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

/** A key whose children behind `after` are still to be read. */
interface Parent {
  id: string;
  after: string;
}

/**
 * Walks from a revoked key to all that descend from it, in pages, through keys that were revoked before. What descends
 * from a root whose cascade has begun issues nothing any more, so none is missed.
 */
export class Descendants {
  private readonly parents: Parent[];
  private readonly met: Set<string>;
  private live: string[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly ownerId: string,
    rootId: string,
  ) {
    this.parents = [{ id: rootId, after: BEFORE_ALL }];
    this.met = new Set([rootId]);
  }

  /** Whether `next()` has told all. */
  get isDone(): boolean {
    return this.parents.length === 0 && this.live.length === 0;
  }

  /** The next that are not revoked, at most so many; fewer, or none, at the end and where it takes long to find them. */
  async next(most = KEYS_AT_ONCE): Promise<string[]> {
    const deadline = performance.now() + TELL_AFTER_MS;
    while (this.live.length < most && this.parents.length > 0 && performance.now() < deadline) await this.readPage();
    const next = this.live.slice(0, most);
    this.live = this.live.slice(most);
    return next;
  }

  /** From the parents that were met last, so that no more wait than there are levels and pages. */
  private async readPage(): Promise<void> {
    const asked = this.parents.splice(-MAX_PARENTS);
    const childrenEach = Math.floor(KEYS_AT_ONCE / asked.length);
    const ids = asked.map(({ id }) => id);
    const after = asked.map((parent) => parent.after);
    const children = (await this.dataSource.query(CHILDREN, [ids, after, this.ownerId, childrenEach])) as Child[];
    const counts = new Map<string, number>();
    for (const child of children) {
      const count = (counts.get(child.parent_id) ?? 0) + 1;
      counts.set(child.parent_id, count);
      // The last of a full page: there may be more
      if (count === childrenEach) this.parents.push({ id: child.parent_id, after: child.id });
    }
    for (const child of children) this.meet(child);
  }

  private meet({ id, is_live: isLive, has_issued: hasIssued }: Child): void {
    if (isLive) this.live.push(id);
    // Issuers that go round in a circle are walked once
    if (!hasIssued || this.met.has(id)) return;
    this.met.add(id);
    this.parents.push({ id, after: BEFORE_ALL });
  }
}
