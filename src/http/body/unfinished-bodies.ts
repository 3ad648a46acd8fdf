/** A body of which a part has arrived. */
export interface UnfinishedBody {
  /** Bodies of one sender share a budget. */
  readonly sender: string;
  /** Its size in memory as `UnfinishedBodies` has counted it. */
  bufferedBytes: number;
  /** Frees its memory, and rejects the request. */
  evict(): void;
}

interface Share {
  bytes: number;
  bodies: Set<UnfinishedBody>;
}

/**
 * Bounds the memory of all unfinished bodies, and the share of each sender.
 *
 * Over a bound, the oldest body is evicted: the sender's own if its share is full. A body that is still unfinished after
 * a while will probably never be complete, whereas an ordinary one arrives within milliseconds, mostly in one chunk, which
 * is never counted. Rejecting the newest instead would let an attacker with stalled bodies lock out everybody else.
 */
export class UnfinishedBodies {
  /** The current size of all of them. */
  bytes = 0;
  /** The number of bodies evicted so far. */
  evicted = 0;

  private readonly shares = new Map<string, Share>();
  /** The oldest first. */
  private readonly all = new Set<UnfinishedBody>();

  /**
   * @param maxBytes of all bodies together
   * @param maxBytesPerSender of the bodies of one sender
   */
  constructor(
    private readonly maxBytes: number,
    private readonly maxBytesPerSender = maxBytes,
  ) {}

  /** Counts the present size of a body. The body itself may be evicted. */
  track(body: UnfinishedBody, bytes: number): void {
    const share = this.shareOf(body.sender);
    this.all.add(body);
    share.bodies.add(body);
    share.bytes += bytes - body.bufferedBytes;
    this.bytes += bytes - body.bufferedBytes;
    body.bufferedBytes = bytes;
    while (share.bytes > this.maxBytesPerSender) this.evictOldest(share.bodies);
    while (this.bytes > this.maxBytes) this.evictOldest(this.all);
  }

  /** Stops counting a body that is complete, failed or evicted. */
  release(body: UnfinishedBody): void {
    if (!this.all.delete(body)) return;
    const share = this.shareOf(body.sender);
    share.bodies.delete(body);
    share.bytes -= body.bufferedBytes;
    this.bytes -= body.bufferedBytes;
    if (share.bodies.size === 0) this.shares.delete(body.sender);
  }

  private evictOldest(bodies: ReadonlySet<UnfinishedBody>): void {
    const [oldest] = bodies;
    if (!oldest) return;
    this.release(oldest);
    this.evicted++;
    oldest.evict();
  }

  private shareOf(sender: string): Share {
    let share = this.shares.get(sender);
    if (!share) this.shares.set(sender, (share = { bytes: 0, bodies: new Set() }));
    return share;
  }
}
