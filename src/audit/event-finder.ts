import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { OwnerReads } from '../owners/owner-reads.js';
import type { AuditAction } from './audit-actions.js';
import { AuditEvent } from './audit-event.entity.js';
import { Owner } from '../owners/owner.entity.js';

/** Filters for an owner's events. */
export interface EventSearch {
  apiKeyId?: string | undefined;
  action?: AuditAction | undefined;
  actor?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Only events before this `seq`. */
  before?: string | undefined;
  limit: number;
}

export interface EventPage {
  events: AuditEvent[];
  /** The `seq` of the last event examined; `null` on the last page. */
  next: string | null;
}

/** Events examined for one page, matching or not. */
const MAX_EVENTS_PER_PAGE = 10_000;

/** Finds events in an owner's trail, newest first. */
@Injectable()
export class EventFinder {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reads: OwnerReads,
  ) {}

  /** Finds a page. With filters it examines `MAX_EVENTS_PER_PAGE` events at most: it may be short without being the last. */
  find(ownerId: string, search: EventSearch): Promise<EventPage> {
    return this.reads.run(ownerId, async () => {
      const query = this.matching(ownerId, search);
      const end = isIndexed(search) ? 0 : (await this.upperSeq(ownerId, search)) - MAX_EVENTS_PER_PAGE;
      if (end > 0) query.andWhere('event.seq >= :end', { end });
      const found = await query
        .orderBy('event.seq', 'DESC')
        .limit(search.limit + 1)
        .getMany();
      const events = found.slice(0, search.limit);
      if (found.length > search.limit) return { events, next: events.at(-1)?.seq ?? null };
      return { events, next: end > 1 ? String(end) : null };
    });
  }

  /** The `seq` after the newest event to examine. The trail has no gaps. */
  private async upperSeq(ownerId: string, { before }: EventSearch): Promise<number> {
    const owner = await this.dataSource.getRepository(Owner).findOneBy({ ownerId });
    const afterLast = Number(owner?.auditSeq ?? 0) + 1;
    return before === undefined ? afterLast : Math.min(Number(before), afterLast);
  }

  private matching(ownerId: string, search: EventSearch): SelectQueryBuilder<AuditEvent> {
    const { apiKeyId, action, actor, from, to, before } = search;
    const query = this.dataSource.getRepository(AuditEvent).createQueryBuilder('event').where({ ownerId });
    if (apiKeyId) query.andWhere('event.api_key_id = :apiKeyId', { apiKeyId });
    if (action) query.andWhere('event.action = :action', { action });
    // It may contain a key id in any case; recorded ids are in lower case
    if (actor) query.andWhere('event.actor = :actor', { actor: actor.toLowerCase() });
    if (from) query.andWhere('event.at >= :from', { from });
    if (to) query.andWhere('event.at < :to', { to });
    if (before) query.andWhere('event.seq < :before', { before });
    return query;
  }
}

/** Whether an index alone finds the events: all of them, or those of a key. */
function isIndexed({ action, actor, from, to }: EventSearch): boolean {
  return (action ?? actor ?? from ?? to) === undefined;
}
