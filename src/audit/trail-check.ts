import { type DataSource, MoreThan } from 'typeorm';
import { ACCEPTED, acceptanceOf, type Acceptances } from './audit-acceptances.js';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import { type AuditProblem, evidenceOfEvent, evidenceOfGap, evidenceOfHead, type Finding } from './audit-problem.js';
import { Owner } from '../owners/owner.entity.js';

const EVENTS_AT_ONCE = 1_000;

type Link = Buffer | null;

/**
 * Goes through one owner's trail and finds all that is not as it was written. Behind what does not fit, it goes on from
 * the hash that is stored there, so that what comes after is checked all the same.
 */
export class TrailCheck {
  /** How many events it has read. */
  events = 0;

  private next = 1n;
  /** What the next event may be chained by: one hash, or several behind an altered event; any behind a gap. */
  private links: readonly Link[] | undefined = [null];
  /** What was found of the last event, and not accepted. */
  private lastAltered: Finding | undefined;

  /** @param owner as it was read before any of its events */
  constructor(
    private readonly dataSource: DataSource,
    private readonly owner: Owner,
    private readonly acceptances: Acceptances,
  ) {}

  /** What is not accepted, in the order of the trail. */
  async *findings(): AsyncGenerator<Finding> {
    for await (const event of eventsOf(this.dataSource, this.owner.ownerId)) {
      const seq = BigInt(event.seq);
      if (seq > BigInt(this.owner.auditSeq)) {
        const inserted = await this.beyondHead(event);
        if (!inserted) break;
        yield inserted;
        if (this.next > BigInt(this.owner.auditSeq)) return;
        break;
      }
      if (seq >= 1n) yield* this.check(event, seq);
      else yield* this.unlessAccepted(this.found(seq, 'inserted', evidenceOfEvent(event)));
    }
    yield* this.unlessAccepted(...this.checkEnd());
  }

  private *check(event: AuditEvent, seq: bigint): Generator<Finding> {
    this.events++;
    if (seq > this.next) yield* this.unlessAccepted(this.gapBefore(event, seq));
    const { hash, ...entry } = event;
    const computed = this.links?.map((link) => chainHash(link, entry)) ?? [hash];
    const fits = computed.some((one) => one.equals(hash));
    const altered = fits ? [] : this.unlessAccepted(this.found(seq, 'altered', evidenceOfEvent(event)));
    yield* altered;
    [this.lastAltered] = altered;
    // Whichever was altered, what the event says or its hash, the next one was chained by the other
    this.links = fits ? [hash] : [hash, ...computed.slice(-2)];
    this.next = seq + 1n;
  }

  /** Events behind the head: each is written together with the head, so none of them was appended since it was read. */
  private async beyondHead({ seq, ownerId }: AuditEvent): Promise<Finding | undefined> {
    const head = await this.dataSource.getRepository(Owner).findOneBy({ ownerId });
    if (!head || BigInt(seq) <= BigInt(head.auditSeq)) return undefined;
    const [{ last }] = (await this.dataSource.query(
      'SELECT max(seq)::text AS last FROM audit_events WHERE owner_id = $1',
      [ownerId],
    )) as [{ last: string }];
    const found = this.found(BigInt(seq), 'inserted', evidenceOfHead(`${stateOf(head)} ${seq} ${last}`), BigInt(last));
    return { ...found, head, breaksHead: true };
  }

  private gapBefore(event: AuditEvent, seq: bigint): Finding {
    const [from, through] = [this.next, seq - 1n];
    this.links = undefined;
    // The end was missing when it was accepted, and the acceptance itself is what follows
    if (event.action === ACCEPTED) {
      const { previous } = acceptanceOf(event);
      const atEnd = evidenceOfGap(from, through, evidenceOfHead(previous));
      if (this.acceptances.includes(event.ownerId, atEnd)) {
        this.links = [Buffer.from(previous, 'hex')];
        return this.found(from, 'missing', atEnd, through);
      }
    }
    return this.found(from, 'missing', evidenceOfGap(from, through, evidenceOfEvent(event)), through);
  }

  private checkEnd(): Finding[] {
    const { auditSeq, auditHash } = this.owner;
    const head = { auditSeq, auditHash };
    const end = BigInt(auditSeq);
    if (this.next <= end) {
      const evidence = evidenceOfGap(this.next, end, evidenceOfHead(auditHash?.toString('hex') ?? ''));
      return [{ ...this.found(this.next, 'missing', evidence, end), head }];
    }
    const [stored, ...computed] = this.links ?? [];
    const isHead = (link?: Link) => (link ?? Buffer.of()).equals(auditHash ?? Buffer.of());
    if (isHead(stored)) return [];
    if (this.lastAltered) {
      Object.assign(this.lastAltered, { head, breaksHead: true } satisfies Partial<Finding>);
      return [];
    }
    if (computed.some(isHead)) return [];
    return [{ ...this.found(end, 'altered', evidenceOfHead(stateOf(head))), head, breaksHead: true }];
  }

  private found(seq: bigint, problem: AuditProblem['problem'], evidence: string, through = seq): Finding {
    const range = through > seq && { through: String(through) };
    return { offence: { owner_id: this.owner.ownerId, seq: String(seq), ...range, problem }, evidence };
  }

  private unlessAccepted(...findings: Finding[]): Finding[] {
    return findings.filter((finding) => !this.acceptances.covers(finding));
  }
}

function stateOf({ auditSeq, auditHash }: Pick<Owner, 'auditSeq' | 'auditHash'>): string {
  return `${auditSeq} ${auditHash?.toString('hex')}`;
}

/** An owner's events in their order, some at a time. */
async function* eventsOf(dataSource: DataSource, ownerId: string): AsyncGenerator<AuditEvent> {
  let last: string | undefined;
  for (;;) {
    const events: AuditEvent[] = await dataSource.getRepository(AuditEvent).find({
      where: { ownerId, ...(last !== undefined && { seq: MoreThan(last) }) },
      order: { seq: 'ASC' },
      take: EVENTS_AT_ONCE,
    });
    yield* events;
    last = events.at(-1)?.seq;
    if (events.length < EVENTS_AT_ONCE) return;
  }
}
