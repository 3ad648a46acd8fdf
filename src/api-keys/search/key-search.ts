import { Injectable } from '@nestjs/common';
import { DataSource, type Repository, type SelectQueryBuilder } from 'typeorm';
import { Owner } from '../../owners/owner.entity.js';
import { Clock } from '../../clock.js';
import { OwnerReads } from '../../owners/owner-reads.js';
import { ApiKey } from '../api-key.entity.js';
import { type KeyStatus, statusInSql } from '../key-status.js';
import { namePattern } from './name-pattern.js';
import { type Scope, scopeObject } from '../../principals/scopes.js';

/** Filters and position of a page of an owner's keys, newest first. */
export interface KeyQuery {
  /** Revoked keys are only found by `revoked`. */
  status?: KeyStatus | undefined;
  /** A substring of the name, case-insensitive. */
  name?: string | undefined;
  /** A scope that the key effectively has. */
  scope?: Scope | undefined;
  limit: number;
  offset: number;
  /** Only keys older than this one. */
  before?: string | undefined;
}

export interface KeyPage {
  /** The number of keys on all pages; with filters, among the newest `MAX_SEARCHED` keys. */
  total: number;
  apiKeys: ApiKey[];
  /** The last key that was searched; `null` on the last page. */
  next: string | null;
}

/**
 * The maximum number of keys searched for a page with filters. One more than 10,000, so that a client can tell a total of
 * exactly 10,000 from a larger one.
 */
const MAX_SEARCHED = 10_001;

/** Finds an owner's keys. */
@Injectable()
export class KeySearch {
  private readonly keys: Repository<ApiKey>;
  private readonly owners: Repository<Owner>;

  constructor(
    dataSource: DataSource,
    private readonly clock: Clock,
    private readonly reads: OwnerReads,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
    this.owners = dataSource.getRepository(Owner);
  }

  /**
   * Finds a page. With `before`, keys issued or revoked between two pages are neither skipped nor repeated. A page with
   * filters searches at most `MAX_SEARCHED` keys: it may be short without being the last.
   */
  find(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    return this.reads.run(ownerId, () =>
      isFiltered(query) ? this.findFiltered(ownerId, query) : this.findAny(ownerId, query),
    );
  }

  private async findAny(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    const found = await this.page(this.matching(ownerId, query), query).getMany();
    // Counting a million keys would take longer than finding the page
    const total = (await this.owners.findOneBy({ ownerId }))?.liveKeys ?? 0;
    return { total, ...pageOf(found, query.limit) };
  }

  private async findFiltered(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    const newest = await this.endOfSearch(ownerId, query);
    if (!query.before) return this.countedPage(ownerId, query, newest);
    const total = await from(newest, this.matching(ownerId, query)).getCount();
    const end = await this.endOfSearch(ownerId, query, query.before);
    const found = await from(end, this.page(this.matching(ownerId, query), query)).getMany();
    return { total, ...filteredPageOf(found, query, end) };
  }

  /** A page and the total, in one pass. */
  private async countedPage(ownerId: string, query: KeyQuery, end: string | null): Promise<KeyPage> {
    const page = from(end, this.page(this.matching(ownerId, query), query)).addSelect('count(*) OVER ()', 'total');
    const { entities, raw } = await page.getRawAndEntities<{ total: string }>();
    // With an offset beyond the last match, no row carries the total
    const isBeyond = raw.length === 0 && query.offset > 0;
    const total = isBeyond ? await from(end, this.matching(ownerId, query)).getCount() : Number(raw[0]?.total ?? 0);
    return { total, ...filteredPageOf(entities, query, end) };
  }

  /** The last key to be searched, of all or of those before another; `null` if there are no more than `MAX_SEARCHED`. */
  private async endOfSearch(ownerId: string, { status }: KeyQuery, before?: string): Promise<string | null> {
    const keys = this.matching(ownerId, { status: status === 'revoked' ? status : undefined });
    if (before) keys.andWhere('key.id < :before', { before });
    const rows = await keys
      .select('key.id', 'id')
      .orderBy('key.id', 'DESC')
      .offset(MAX_SEARCHED - 1)
      .limit(2)
      .getRawMany<{ id: string }>();
    return rows.length === 2 ? (rows[0]?.id ?? null) : null;
  }

  private page(matching: SelectQueryBuilder<ApiKey>, { limit, offset, before }: KeyQuery): SelectQueryBuilder<ApiKey> {
    const page = matching.orderBy('key.id', 'DESC').limit(limit + 1);
    return before ? page.andWhere('key.id < :before', { before }) : page.offset(offset);
  }

  private matching(
    ownerId: string,
    { status, name, scope }: Pick<KeyQuery, 'status' | 'name' | 'scope'>,
  ): SelectQueryBuilder<ApiKey> {
    const query = this.keys.createQueryBuilder('key').where('key.owner_id = :ownerId', { ownerId });
    if (status) query.andWhere(statusInSql(status), { now: new Date(this.clock.now()) });
    else query.andWhere('key.revoked_at IS NULL');
    if (name) query.andWhere('key.name ~ :pattern', { pattern: namePattern(name) });
    if (scope) {
      query.andWhere(`(key.scopes @> '{"admin": true}' OR key.scopes @> :scopes)`, { scopes: scopeObject(scope) });
    }
    return query;
  }
}

function isFiltered({ status, name, scope }: KeyQuery): boolean {
  return (status ?? name ?? scope) !== undefined;
}

/** Restricts keys to those not older than the given one. */
function from(end: string | null, keys: SelectQueryBuilder<ApiKey>): SelectQueryBuilder<ApiKey> {
  return end === null ? keys : keys.andWhere('key.id >= :end', { end });
}

/** After a page that is not full, the next one starts behind the last key that was searched. */
function filteredPageOf(found: ApiKey[], { limit }: KeyQuery, end: string | null): Omit<KeyPage, 'total'> {
  const page = pageOf(found, limit);
  return { ...page, next: page.next ?? end };
}

function pageOf(found: ApiKey[], limit: number): Omit<KeyPage, 'total'> {
  const apiKeys = found.slice(0, limit);
  return { apiKeys, next: found.length > limit ? (apiKeys.at(-1)?.id ?? null) : null };
}
