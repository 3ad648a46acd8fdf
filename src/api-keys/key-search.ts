import { Injectable } from '@nestjs/common';
import { DataSource, type Repository, type SelectQueryBuilder } from 'typeorm';
import { Owner } from '../audit/owner.entity.js';
import { Clock } from '../config/clock.js';
import { ApiKey, type KeyStatus } from './api-key.entity.js';
import { type Scope, scopeObject } from './scopes.js';

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
  /** How many there are on all pages. */
  total: number;
  apiKeys: ApiKey[];
  /** The last key of the page, unless the page is the last. */
  next: string | null;
}

const NOT_BEGUN = '(key.not_before IS NOT NULL AND key.not_before > :now)';
const OVER = '(key.expires_at IS NOT NULL AND key.expires_at <= :now)';
const SPENT = '(key.max_uses IS NOT NULL AND key.uses >= key.max_uses)';

/** As `ApiKey.statusAt()` decides it. */
const STATUSES: Record<KeyStatus, string> = {
  active: `key.enabled AND NOT ${NOT_BEGUN} AND NOT ${OVER} AND NOT ${SPENT}`,
  disabled: 'NOT key.enabled',
  pending: `key.enabled AND ${NOT_BEGUN}`,
  expired: `key.enabled AND NOT ${NOT_BEGUN} AND ${OVER}`,
  exhausted: `key.enabled AND NOT ${NOT_BEGUN} AND NOT ${OVER} AND ${SPENT}`,
  revoked: 'TRUE',
};

/** Finds an owner's keys. */
@Injectable()
export class KeySearch {
  private readonly keys: Repository<ApiKey>;
  private readonly owners: Repository<Owner>;

  constructor(
    dataSource: DataSource,
    private readonly clock: Clock,
  ) {
    this.keys = dataSource.getRepository(ApiKey);
    this.owners = dataSource.getRepository(Owner);
  }

  /** A page; keys that come and go between two pages neither shift the second nor repeat there. */
  async find(ownerId: string, query: KeyQuery): Promise<KeyPage> {
    const matching = this.matching(ownerId, query);
    const page = matching
      .clone()
      .orderBy('key.id', 'DESC')
      .limit(query.limit + 1);
    if (query.before) page.andWhere('key.id < :before', { before: query.before });
    else page.offset(query.offset);
    const [total, found] = await Promise.all([this.count(ownerId, query, matching), page.getMany()]);
    const apiKeys = found.slice(0, query.limit);
    return { total, apiKeys, next: found.length > query.limit ? (apiKeys.at(-1)?.id ?? null) : null };
  }

  /** All keys of an owner are counted as they come and go: to count a million anew would take longer than to find a page. */
  private async count(ownerId: string, { status, name, scope }: KeyQuery, matching: SelectQueryBuilder<ApiKey>) {
    if (status ?? name ?? scope) return matching.getCount();
    return (await this.owners.findOneBy({ ownerId }))?.liveKeys ?? 0;
  }

  private matching(ownerId: string, { status, name, scope }: KeyQuery): SelectQueryBuilder<ApiKey> {
    const query = this.keys.createQueryBuilder('key').where('key.owner_id = :ownerId', { ownerId });
    query.andWhere(status === 'revoked' ? 'key.revoked_at IS NOT NULL' : 'key.revoked_at IS NULL');
    if (status) query.andWhere(STATUSES[status], { now: new Date(this.clock.now()) });
    if (name) query.andWhere('key.name ILIKE :pattern', { pattern: `%${name.replaceAll(/[\\%_]/g, '\\$&')}%` });
    if (scope) {
      query.andWhere(`(key.scopes @> '{"admin": true}' OR key.scopes @> :scopes)`, { scopes: scopeObject(scope) });
    }
    return query;
  }
}
