import { Injectable } from '@nestjs/common';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { OwnerReads } from '../owners/owner-reads.js';
import { AuditEvent } from './audit-event.entity.js';
import { Owner } from '../owners/owner.entity.js';

/** Which of the owner's events are wanted, newest first. */
export interface EventSearch {
  apiKeyId?: string | undefined;
  action?: string | undefined;
  actor?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Only events before this one. */
  before?: string | undefined;
  limit: number;
}

export interface EventPage {
  events: AuditEvent[];
  /** The last event that was looked at, unless the page is the last. */
  next: string | null;
}

/** How many events are looked at for one page, however long the trail is and however few of them fit. */
const MAX_SEARCHED = 10_000;

/** Finds events in an owner's trail. */
@Injectable()
export class EventFinder {
  constructor(
    private readonly dataSource: DataSource,
    private readonly reads: OwnerReads,
  ) {}

  /** A page. One with filters looks at so many events at the most: it may be short, and yet not the last. */
  find(ownerId: string, search: EventSearch): Promise<EventPage> {
    return this.reads.run(ownerId, async () => {
      const query = this.matching(ownerId, search);
      const end = isIndexed(search) ? 0 : (await this.beginning(ownerId, search)) - MAX_SEARCHED;
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

  /** The event behind the first that is looked at: the trail has no gaps. */
  private async beginning(ownerId: string, { before }: EventSearch): Promise<number> {
    const owner = await this.dataSource.getRepository(Owner).findOneBy({ ownerId });
    const behindLast = Number(owner?.auditSeq ?? 0) + 1;
    return before === undefined ? behindLast : Math.min(Number(before), behindLast);
  }

  private matching(ownerId: string, search: EventSearch): SelectQueryBuilder<AuditEvent> {
    const { apiKeyId, action, actor, from, to, before } = search;
    const query = this.dataSource.getRepository(AuditEvent).createQueryBuilder('event').where({ ownerId });
    if (apiKeyId) query.andWhere('event.api_key_id = :apiKeyId', { apiKeyId });
    if (action) query.andWhere('event.action = :action', { action });
    // It may be the id of a key, in any case; those that are recorded are lower case
    if (actor) query.andWhere('event.actor = :actor', { actor: actor.toLowerCase() });
    if (from) query.andWhere('event.at >= :from', { from });
    if (to) query.andWhere('event.at < :to', { to });
    if (before) query.andWhere('event.seq < :before', { before });
    return query;
  }
}

/** Whether the database finds the events by an index alone: all, or those of a key. */
function isIndexed({ action, actor, from, to }: EventSearch): boolean {
  return (action ?? actor ?? from ?? to) === undefined;
}
