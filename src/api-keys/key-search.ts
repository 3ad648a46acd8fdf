import { Injectable } from '@nestjs/common';
import { DataSource, type Repository, type SelectQueryBuilder } from 'typeorm';
import { Owner } from '../owners/owner.entity.js';
import { Clock } from '../clock.js';
import { OwnerReads } from '../owners/owner-reads.js';
import { ApiKey } from './api-key.entity.js';
import { type KeyStatus, statusInSql } from './key-status.js';
import { namePattern } from './name-pattern.js';
import { type Scope, scopeObject } from '../principals/scopes.js';

/** Which of an owner's keys are wanted, newest first. */
export interface KeyQuery {
  /** Revoked keys are found under `revoked` alone. */
  status?: KeyStatus | undefined;
  /** Part of the name, in whatever case. */
  name?: string | undefined;
  /** That the key effectively has. */
  scope?: Scope | undefined;
  limit: number;
  offset: number;
  /** Only keys older than this one. */
  before?: string | undefined;
}

export interface KeyPage {
  /** How many there are on all pages; with filters, among the newest `MAX_SEARCHED` keys. */
  total: number;
  apiKeys: ApiKey[];
  /** The last key that was looked at, unless the page is the last. */
  next: string | null;
}

/**
 * How many keys are looked at for one page, however many the owner has and however few of them fit. One more than what
 * a client is told, which so learns that there are more.
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
   * A page; keys that come and go between two pages neither shift the second nor repeat there. One with filters looks
   * at so many keys at the most, however few fit: it may be short, and yet not the last.
   */
  find(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    return this.reads.run(ownerId, () =>
      isFiltered(query) ? this.findFiltered(ownerId, query) : this.findAny(ownerId, query),
    );
  }

  private async findAny(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    const found = await this.page(this.matching(ownerId, query), query).getMany();
    // To count a million anew would take longer than to find a page
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

  /** A page of the keys that are counted, both in one pass over them. */
  private async countedPage(ownerId: string, query: KeyQuery, end: string | null): Promise<KeyPage> {
    const page = from(end, this.page(this.matching(ownerId, query), query)).addSelect('count(*) OVER ()', 'total');
    const { entities, raw } = await page.getRawAndEntities<{ total: string }>();
    // Behind the last of them there is no row that could tell how many there are
    const isBehind = raw.length === 0 && query.offset > 0;
    const total = isBehind ? await from(end, this.matching(ownerId, query)).getCount() : Number(raw[0]?.total ?? 0);
    return { total, ...filteredPageOf(entities, query, end) };
  }

  /** The last key that is looked at, of those before another or of all; `null` where there are fewer. */
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

/** Of keys, those from the given one on; all without it. */
function from(end: string | null, keys: SelectQueryBuilder<ApiKey>): SelectQueryBuilder<ApiKey> {
  return end === null ? keys : keys.andWhere('key.id >= :end', { end });
}

/** One that is not full goes on behind the last key that was looked at. */
function filteredPageOf(found: ApiKey[], { limit }: KeyQuery, end: string | null): Omit<KeyPage, 'total'> {
  const page = pageOf(found, limit);
  return { ...page, next: page.next ?? end };
}

function pageOf(found: ApiKey[], limit: number): Omit<KeyPage, 'total'> {
  const apiKeys = found.slice(0, limit);
  return { apiKeys, next: found.length > limit ? (apiKeys.at(-1)?.id ?? null) : null };
}
