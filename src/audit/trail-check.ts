import { type DataSource, MoreThan } from 'typeorm';
import { ACCEPTED, acceptanceOf, type Acceptances } from './audit-acceptances.js';
import { chainHash } from './audit-chain.js';
import { AuditEvent } from './audit-event.entity.js';
import { type AuditProblem, evidenceOfEvent, evidenceOfGap, evidenceOfHead, type Finding } from './audit-problem.js';
import { Owner } from '../owners/owner.entity.js';

const EVENTS_PER_READ = 1_000;

type PreviousHash = Buffer | null;

/**
 * Checks one owner's trail against what was written. After a problem it continues from the stored hash, so that later
 * events are checked too.
 */
export class TrailCheck {
  /** The number of events checked so far. */
  events = 0;

  private nextSeq = 1n;
  /** Hashes that the next event may be chained to: one; several after an altered event; `undefined` (any) after a gap. */
  private possiblePrevious: readonly PreviousHash[] | undefined = [null];
  /** The finding about the last event, unless accepted. */
  private lastAltered: Finding | undefined;

  /** @param owner read before any of its events */
  constructor(
    private readonly dataSource: DataSource,
    private readonly owner: Owner,
    private readonly acceptances: Acceptances,
  ) {}

  /** The findings that are not accepted, in the order of the trail. */
  async *findings(): AsyncGenerator<Finding> {
    for await (const event of readEvents(this.dataSource, this.owner.ownerId)) {
      const seq = BigInt(event.seq);
      if (seq > BigInt(this.owner.auditSeq)) {
        const inserted = await this.findAfterHead(event);
        if (!inserted) break;
        yield inserted;
        if (this.nextSeq > BigInt(this.owner.auditSeq)) return;
        break;
      }
      if (seq >= 1n) yield* this.checkEvent(event, seq);
      else yield* this.withoutAccepted(this.findingAt(seq, 'inserted', evidenceOfEvent(event)));
    }
    yield* this.withoutAccepted(...this.checkEnd());
  }

  private *checkEvent(event: AuditEvent, seq: bigint): Generator<Finding> {
    this.events++;
    if (seq > this.nextSeq) yield* this.withoutAccepted(this.gapBefore(event, seq));
    const { hash, ...entry } = event;
    const computed = this.possiblePrevious?.map((link) => chainHash(link, entry)) ?? [hash];
    const fits = computed.some((one) => one.equals(hash));
    const altered = fits ? [] : this.withoutAccepted(this.findingAt(seq, 'altered', evidenceOfEvent(event)));
    yield* altered;
    [this.lastAltered] = altered;
    // Either the event or its hash was altered; the next event was chained to the other
    this.possiblePrevious = fits ? [hash] : [hash, ...computed.slice(-2)];
    this.nextSeq = seq + 1n;
  }

  /** Events after the head, read again: an event and the head are written together, so they were inserted. */
  private async findAfterHead({ seq, ownerId }: AuditEvent): Promise<Finding | undefined> {
    const head = await this.dataSource.getRepository(Owner).findOneBy({ ownerId });
    if (!head || BigInt(seq) <= BigInt(head.auditSeq)) return undefined;
    const [{ last }] = (await this.dataSource.query(
      'SELECT max(seq)::text AS last FROM audit_events WHERE owner_id = $1',
      [ownerId],
    )) as [{ last: string }];
    const finding = this.findingAt(
      BigInt(seq),
      'inserted',
      evidenceOfHead(`${describeHead(head)} ${seq} ${last}`),
      BigInt(last),
    );
    return { ...finding, head, breaksHead: true };
  }

  private gapBefore(event: AuditEvent, seq: bigint): Finding {
    const [from, through] = [this.nextSeq, seq - 1n];
    this.possiblePrevious = undefined;
    // The end was missing when it was accepted: the acceptance itself is the event after the gap
    if (event.action === ACCEPTED) {
      const { previous } = acceptanceOf(event);
      const atEnd = evidenceOfGap(from, through, evidenceOfHead(previous));
      if (this.acceptances.includes(event.ownerId, atEnd)) {
        this.possiblePrevious = [Buffer.from(previous, 'hex')];
        return this.findingAt(from, 'missing', atEnd, through);
      }
    }
    return this.findingAt(from, 'missing', evidenceOfGap(from, through, evidenceOfEvent(event)), through);
  }

  private checkEnd(): Finding[] {
    const { auditSeq, auditHash } = this.owner;
    const head = { auditSeq, auditHash };
    const end = BigInt(auditSeq);
    if (this.nextSeq <= end) {
      const evidence = evidenceOfGap(this.nextSeq, end, evidenceOfHead(auditHash?.toString('hex') ?? ''));
      return [{ ...this.findingAt(this.nextSeq, 'missing', evidence, end), head }];
    }
    const [stored, ...computed] = this.possiblePrevious ?? [];
    const isHead = (link?: PreviousHash) => (link ?? Buffer.of()).equals(auditHash ?? Buffer.of());
    if (isHead(stored)) return [];
    if (this.lastAltered) {
      Object.assign(this.lastAltered, { head, breaksHead: true } satisfies Partial<Finding>);
      return [];
    }
    if (computed.some(isHead)) return [];
    return [{ ...this.findingAt(end, 'altered', evidenceOfHead(describeHead(head))), head, breaksHead: true }];
  }

  private findingAt(seq: bigint, problem: AuditProblem['problem'], evidence: string, through = seq): Finding {
    const range = through > seq && { through: String(through) };
    return { problem: { owner_id: this.owner.ownerId, seq: String(seq), ...range, problem }, evidence };
  }

  private withoutAccepted(...findings: Finding[]): Finding[] {
    return findings.filter((finding) => !this.acceptances.covers(finding));
  }
}

function describeHead({ auditSeq, auditHash }: Pick<Owner, 'auditSeq' | 'auditHash'>): string {
  return `${auditSeq} ${auditHash?.toString('hex')}`;
}

/** An owner's events in order, read in batches. */
async function* readEvents(dataSource: DataSource, ownerId: string): AsyncGenerator<AuditEvent> {
  let last: string | undefined;
  for (;;) {
    const events: AuditEvent[] = await dataSource.getRepository(AuditEvent).find({
      where: { ownerId, ...(last !== undefined && { seq: MoreThan(last) }) },
      order: { seq: 'ASC' },
      take: EVENTS_PER_READ,
    });
    yield* events;
    last = events.at(-1)?.seq;
    if (events.length < EVENTS_PER_READ) return;
  }
}
