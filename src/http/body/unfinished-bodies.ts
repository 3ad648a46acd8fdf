/** A body that has begun and not ended. */
export interface UnfinishedBody {
  /** Who sends it: bodies of one sender have a share together. */
  readonly sender: string;
  /** How many bytes it holds, as `UnfinishedBodies` has counted them. */
  heldBytes: number;
  /** Makes room: the body is forgotten, and its sender told so. */
  giveUp(): void;
}

interface Share {
  bytes: number;
  bodies: Set<UnfinishedBody>;
}

/**
 * Bounds the memory that unfinished bodies hold together, and of it the share of each sender.
 *
 * Beyond, the oldest gives way, of the sender's where its share is full: what has lain for long is what will not end,
 * while an ordinary body is there within milliseconds, mostly at once, when it is never counted. To refuse the newest
 * would let whoever holds the rest keep everybody else out.
 */
export class UnfinishedBodies {
  /** How many bytes are held now. */
  bytes = 0;
  /** How many bodies had to give way. */
  givenUp = 0;

  private readonly shares = new Map<string, Share>();
  /** The oldest first. */
  private readonly all = new Set<UnfinishedBody>();

  /**
   * @param maxBytes of all together
   * @param maxBytesPerSender of them, what one sender may hold
   */
  constructor(
    private readonly maxBytes: number,
    private readonly maxBytesPerSender = maxBytes,
  ) {}

  /** Counts what a body holds now. It may be given up itself. */
  hold(body: UnfinishedBody, bytes: number): void {
    const share = this.shareOf(body.sender);
    this.all.add(body);
    share.bodies.add(body);
    share.bytes += bytes - body.heldBytes;
    this.bytes += bytes - body.heldBytes;
    body.heldBytes = bytes;
    while (share.bytes > this.maxBytesPerSender) this.giveUpOldest(share.bodies);
    while (this.bytes > this.maxBytes) this.giveUpOldest(this.all);
  }

  /** A body that has ended, in whatever way, holds nothing. */
  release(body: UnfinishedBody): void {
    if (!this.all.delete(body)) return;
    const share = this.shareOf(body.sender);
    share.bodies.delete(body);
    share.bytes -= body.heldBytes;
    this.bytes -= body.heldBytes;
    if (share.bodies.size === 0) this.shares.delete(body.sender);
  }

  private giveUpOldest(bodies: ReadonlySet<UnfinishedBody>): void {
    const [oldest] = bodies;
    if (!oldest) return;
    this.release(oldest);
    this.givenUp++;
    oldest.giveUp();
  }

  private shareOf(sender: string): Share {
    let share = this.shares.get(sender);
    if (!share) this.shares.set(sender, (share = { bytes: 0, bodies: new Set() }));
    return share;
  }
}
