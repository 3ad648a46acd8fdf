import pLimit from 'p-limit';
import type { DataSource } from 'typeorm';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { readLineage } from '../api-keys/cascades/lineage.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { withTimeout } from '../database/with-timeout.js';

const READ_TIMEOUT_MS = 2_000;
const MAX_WAITING = 1_000;
const MAX_CACHED = 50_000;
/** An owner that keeps starting cascades is answered with 503 after this many reads. */
const MAX_READS = 5;

type Descendant = Pick<ApiKey, 'id' | 'issuedBy' | 'ownerId'>;

/** The active cascades of one owner, and which keys they revoke. Ancestry never changes, so it is read once. */
export class OwnerCascades {
  /** By the id of an issuing key: whether a cascade revokes the keys that it issued. */
  private readonly issuers = new Map<string, boolean>();
  /** By the id of a key whose issuer is gone, or whose owner's cascades are complete: whether its own row is revoked. */
  private readonly rows = new Map<string, boolean>();
  private readonly roots = new Set<string>();
  private readonly limit = pLimit(1);
  /** Counts how often another cascade may have begun. */
  private generation = 0;
  private announcedAt = performance.now();
  private absentSince: number | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** Another cascade of the owner may have begun: keys that were not revoked may be now. */
  noteNewCascade(): void {
    this.generation++;
    this.announcedAt = performance.now();
    this.absentSince = undefined;
    this.issuers.clear();
    this.rows.clear();
  }

  /** Notes a cascade by its root; does nothing if it is known. */
  addRoot(rootId: string): void {
    if (this.roots.has(rootId)) return;
    this.roots.add(rootId);
    this.noteNewCascade();
  }

  /** The owner still has an active cascade. */
  markPresent(): void {
    this.absentSince = undefined;
  }

  /**
   * Notes that the owner had no active cascade at a time.
   *
   * @param readAt the time, by `performance.now()`
   * @returns whether the owner has had none for longer than `milliseconds`
   */
  isOver(readAt: number, milliseconds: number): boolean {
    if (this.announcedAt >= readAt) return false;
    this.absentSince ??= readAt;
    return readAt - this.absentSince > milliseconds;
  }

  /**
   * Whether the cascades revoke a key of the owner that another key issued.
   *
   * @throws UnavailableError if too many calls wait; LateAnswerError; whatever the database throws
   */
  async revokes(key: Descendant): Promise<boolean> {
    const known = this.issuers.get(key.issuedBy ?? '') ?? this.rows.get(key.id);
    if (known !== undefined) return known;
    if (this.limit.pendingCount >= MAX_WAITING) throw tooManyCascades();
    return this.limit(() => this.read(key));
  }

  private async read({ id, issuedBy, ownerId }: Descendant): Promise<boolean> {
    const issuer = issuedBy ?? '';
    for (let reads = 0; reads < MAX_READS; reads++) {
      const known = this.issuers.get(issuer);
      if (known !== undefined) return known;
      const { generation } = this;
      const lineage = await withTimeout(READ_TIMEOUT_MS, readLineage(this.dataSource, ownerId, [issuer]));
      if (generation !== this.generation) continue;
      this.cacheLineage(lineage);
      // If the cascade is complete by now, all rows are written; a cached key may be older than its row
      return lineage.get(issuer) ?? (await this.readRow(id, generation));
    }
    throw tooManyCascades();
  }

  private async readRow(id: string, generation: number): Promise<boolean> {
    const query = this.dataSource.query('SELECT FROM api_keys WHERE id = $1 AND revoked_at IS NULL', [id]);
    const isRevoked = ((await withTimeout(READ_TIMEOUT_MS, query)) as unknown[]).length === 0;
    if (this.rows.size >= MAX_CACHED) this.rows.clear();
    if (generation === this.generation) this.rows.set(id, isRevoked);
    return isRevoked;
  }

  private cacheLineage(lineage: ReadonlyMap<string, boolean>): void {
    if (this.issuers.size + lineage.size > MAX_CACHED) this.issuers.clear();
    for (const [id, isRevoked] of lineage) this.issuers.set(id, isRevoked);
  }
}

function tooManyCascades(): UnavailableError {
  return new UnavailableError('Keys of this account are being revoked. Try again in a moment.', {
    retryAfterSeconds: 1,
  });
}
