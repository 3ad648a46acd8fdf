import pLimit from 'p-limit';
import type { DataSource } from 'typeorm';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { readLineage } from '../api-keys/cascades/lineage.js';
import { UnavailableError } from '../http/errors/api-error.js';
import { withTimeout } from '../database/with-timeout.js';

const READ_WITHIN_MS = 2_000;
const MAX_WAITING = 1_000;
const MAX_REMEMBERED = 50_000;
/** An owner that begins one cascade after the other is refused service, rather than asked for ever. */
const MAX_READS = 5;

/** Of an owner with cascades under way: which keys count as revoked. Ancestry never changes, so it is read once. */
export class CascadedKeys {
  /** By the ids of keys that have issued others. */
  private readonly issuers = new Map<string, boolean>();
  /** By the ids of keys whose issuers were no longer there, or not in a cascade that is over by now. */
  private readonly settled = new Map<string, boolean>();
  private readonly roots = new Set<string>();
  private readonly limit = pLimit(1);
  /** How often another cascade may have begun. */
  private begun = 0;
  private heardAt = performance.now();
  private absentSince: number | undefined;

  constructor(private readonly dataSource: DataSource) {}

  /** Another cascade of the owner may have begun: what was not ended may be by now. */
  hearOfAnother(): void {
    this.begun++;
    this.heardAt = performance.now();
    this.absentSince = undefined;
    this.issuers.clear();
    this.settled.clear();
  }

  /** There is a cascade of this root; does nothing if that was known. */
  addRoot(rootId: string): void {
    if (this.roots.has(rootId)) return;
    this.roots.add(rootId);
    this.hearOfAnother();
  }

  /** A cascade of the owner is still there. */
  isThere(): void {
    this.absentSince = undefined;
  }

  /**
   * No cascade of the owner was there at a time, by `performance.now()`.
   *
   * @returns whether that has been so for at least as many milliseconds
   */
  isOver(readAt: number, milliseconds: number): boolean {
    if (this.heardAt >= readAt) return false;
    this.absentSince ??= readAt;
    return readAt - this.absentSince > milliseconds;
  }

  /**
   * Whether a key of the owner that another key issued counts as revoked.
   *
   * @throws by its promise: UnavailableError if too many ask; whatever the database throws
   */
  has(key: Pick<ApiKey, 'id' | 'issuedBy' | 'ownerId'>): boolean | Promise<boolean> {
    const known = this.issuers.get(key.issuedBy ?? '') ?? this.settled.get(key.id);
    if (known !== undefined) return known;
    if (this.limit.pendingCount >= MAX_WAITING) return Promise.reject(tooMuch());
    return this.limit(() => this.read(key));
  }

  private async read({ id, issuedBy, ownerId }: Pick<ApiKey, 'id' | 'issuedBy' | 'ownerId'>): Promise<boolean> {
    const issuer = issuedBy ?? '';
    for (let reads = 0; reads < MAX_READS; reads++) {
      const known = this.issuers.get(issuer);
      if (known !== undefined) return known;
      const { begun } = this;
      const lineage = await withTimeout(READ_WITHIN_MS, readLineage(this.dataSource, ownerId, [issuer]));
      if (begun !== this.begun) continue;
      this.remember(lineage);
      // If it is over by now, all rows are written, which may be news to what is remembered
      return lineage.get(issuer) ?? (await this.settle(id, begun));
    }
    throw tooMuch();
  }

  private async settle(id: string, begun: number): Promise<boolean> {
    const isRevoked = await this.isRevoked(id);
    if (this.settled.size >= MAX_REMEMBERED) this.settled.clear();
    if (begun === this.begun) this.settled.set(id, isRevoked);
    return isRevoked;
  }

  private remember(lineage: ReadonlyMap<string, boolean>): void {
    if (this.issuers.size + lineage.size > MAX_REMEMBERED) this.issuers.clear();
    for (const [id, isEnded] of lineage) this.issuers.set(id, isEnded);
  }

  private async isRevoked(id: string): Promise<boolean> {
    const query = this.dataSource.query('SELECT FROM api_keys WHERE id = $1 AND revoked_at IS NULL', [id]);
    return ((await withTimeout(READ_WITHIN_MS, query)) as unknown[]).length === 0;
  }
}

function tooMuch(): UnavailableError {
  return new UnavailableError('Keys of this account are being revoked. Try again in a moment.', {
    retryAfterSeconds: 1,
  });
}
