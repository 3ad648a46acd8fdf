import type { IncomingMessage } from 'node:http';
import { ApiError, UnavailableError } from '../errors/api-error.js';
import { BODY_LIMIT } from './json-body.js';
import type { UnfinishedBodies, UnfinishedBody } from './unfinished-bodies.js';

/** Each piece costs time of its own; 64 KiB come in 45 over an ordinary connection. */
const MAX_PIECES = 2_048;
const NOTHING = Buffer.alloc(0);
/** What is left of the body is not waited for. */
const CLOSE = { Connection: 'close' };

/** Is told once: of the body, or why there is none. */
export type BodyCallback = (cause: unknown, body?: Buffer) => void;

/**
 * Receives a body of 64 KiB at most. One that is there at once, as most are, is handed on as it is; of any other the
 * pieces are put together as they come, so that small ones cost no more memory than large ones, and counted.
 */
export class BodyReceiver implements UnfinishedBody {
  heldBytes = 0;
  private readonly length: number;
  private body: Buffer = NOTHING;
  private received = 0;
  private pieces = 0;
  private isDone = false;
  private knownSender: string | undefined;

  /** @param senderOf tells whose share an unfinished body counts against */
  constructor(
    private readonly request: IncomingMessage,
    private readonly unfinished: UnfinishedBodies,
    private readonly senderOf: (request: IncomingMessage) => string,
    private readonly done: BodyCallback,
  ) {
    this.length = Number(request.headers['content-length']);
  }

  receive(): void {
    this.request.on('data', (piece: Buffer) => this.take(piece));
    this.request.on('end', () => this.finish(undefined));
    // Emitted where the connection ends before the body does
    this.request.on('error', (cause) => this.finish(cause));
  }

  get sender(): string {
    return (this.knownSender ??= this.senderOf(this.request));
  }

  giveUp(): void {
    const message = 'Too many requests whose body has not ended are under way. Try again in a moment.';
    this.finish(new UnavailableError(message, { retryAfterSeconds: 1, headers: CLOSE }));
  }

  private take(piece: Buffer): void {
    if (this.isDone) return;
    if (this.received === 0 && piece.length === this.length) {
      this.body = piece;
      this.received = piece.length;
    } else if (this.received + piece.length > BODY_LIMIT) this.finish(tooLarge());
    else if (++this.pieces > MAX_PIECES) this.finish(tooManyPieces());
    else this.append(piece);
  }

  private append(piece: Buffer): void {
    const received = this.received + piece.length;
    if (received > this.body.length) this.enlarge(received);
    piece.copy(this.body, this.received);
    this.received = received;
    if (received !== this.length && this.body.length !== this.heldBytes) this.unfinished.hold(this, this.body.length);
  }

  private enlarge(least: number): void {
    const most = this.length <= BODY_LIMIT ? this.length : BODY_LIMIT;
    // Not from the pool, of which a few bytes would hold far more
    const larger = Buffer.allocUnsafeSlow(Math.min(most, Math.max(least, 2 * this.body.length)));
    this.body.copy(larger, 0, 0, this.received);
    this.body = larger;
  }

  private finish(cause: unknown): void {
    if (this.isDone) return;
    this.isDone = true;
    if (this.heldBytes > 0) this.unfinished.release(this);
    const body = this.body;
    this.body = NOTHING;
    if (cause === undefined) this.done(undefined, body.subarray(0, this.received));
    else this.done(cause);
  }
}

export function tooLarge(): ApiError {
  return new ApiError('payload_too_large', 'The body is larger than 64 KiB.', { headers: CLOSE });
}

function tooManyPieces(): ApiError {
  const message = `The body came in more than ${MAX_PIECES} pieces. Send it in larger ones.`;
  return new ApiError('validation_failed', message, { headers: CLOSE });
}
