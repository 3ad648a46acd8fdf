import type { IncomingMessage } from 'node:http';
import { ApiError, UnavailableError } from '../errors/api-error.js';
import { type BodyBounds, ORDINARY_BOUNDS } from './body-bounds.js';
import type { UnfinishedBodies, UnfinishedBody } from './unfinished-bodies.js';

/** Each chunk costs time. Over an ordinary connection, 64 KiB arrive in 45. */
const MAX_CHUNKS = 2_048;
const EMPTY = Buffer.alloc(0);
/** For rejected bodies: the rest is not read. */
const CLOSE = { Connection: 'close' };

/** Called once, with the body or with the reason why it could not be received. */
export type BodyCallback = (cause: unknown, body?: Buffer) => void;

/**
 * Receives a body within its bounds. Most arrive in a single chunk, which is passed on as it is. Otherwise the chunks are
 * copied into one buffer as they arrive, so that many small ones cost no more memory than a few large ones, and the buffer
 * counts against the limits of `UnfinishedBodies`.
 */
export class BodyReceiver implements UnfinishedBody {
  bufferedBytes = 0;
  private readonly length: number;
  private body: Buffer = EMPTY;
  private receivedBytes = 0;
  private chunks = 0;
  private isDone = false;
  private cachedSender: string | undefined;

  /** @param senderOf the sender whose share an unfinished body counts against */
  constructor(
    private readonly request: IncomingMessage,
    private readonly unfinished: UnfinishedBodies,
    private readonly senderOf: (request: IncomingMessage) => string,
    private readonly done: BodyCallback,
    private readonly bounds: BodyBounds = ORDINARY_BOUNDS,
  ) {
    this.length = Number(request.headers['content-length']);
  }

  receive(): void {
    this.request.on('data', (chunk: Buffer) => this.addChunk(chunk));
    this.request.on('end', () => this.finish(undefined));
    // Emitted if the connection closes before the body is complete
    this.request.on('error', (cause) => this.finish(cause));
  }

  get sender(): string {
    return (this.cachedSender ??= this.senderOf(this.request));
  }

  evict(): void {
    const message = 'Too many unfinished request bodies. Send the whole body at once, or try again in a moment.';
    this.finish(new UnavailableError(message, { retryAfterSeconds: 1, headers: CLOSE }));
  }

  private addChunk(chunk: Buffer): void {
    if (this.isDone) return;
    if (this.receivedBytes === 0 && chunk.length === this.length) {
      this.body = chunk;
      this.receivedBytes = chunk.length;
    } else if (this.receivedBytes + chunk.length > this.bounds.bytes) this.finish(tooLarge(this.bounds));
    else if (++this.chunks > MAX_CHUNKS) this.finish(tooManyChunks());
    else this.append(chunk);
  }

  private append(chunk: Buffer): void {
    const received = this.receivedBytes + chunk.length;
    if (received > this.body.length) this.grow(received);
    chunk.copy(this.body, this.receivedBytes);
    this.receivedBytes = received;
    if (received !== this.length && this.body.length !== this.bufferedBytes)
      this.unfinished.track(this, this.body.length);
  }

  private grow(minimum: number): void {
    const maximum = this.length <= this.bounds.bytes ? this.length : this.bounds.bytes;
    // Not from the pool: a few bytes would retain a whole 8 KiB slab
    const larger = Buffer.allocUnsafeSlow(Math.min(maximum, Math.max(minimum, 2 * this.body.length)));
    this.body.copy(larger, 0, 0, this.receivedBytes);
    this.body = larger;
  }

  private finish(cause: unknown): void {
    if (this.isDone) return;
    this.isDone = true;
    if (this.bufferedBytes > 0) this.unfinished.release(this);
    const body = this.body;
    this.body = EMPTY;
    if (cause === undefined) this.done(undefined, body.subarray(0, this.receivedBytes));
    else this.done(cause);
  }
}

export function tooLarge({ bytes }: BodyBounds): ApiError {
  return new ApiError('payload_too_large', `The body is larger than ${bytes / 1_024} KiB.`, { headers: CLOSE });
}

function tooManyChunks(): ApiError {
  const message = `The body arrived in more than ${MAX_CHUNKS} chunks. Send it in larger chunks.`;
  return new ApiError('validation_failed', message, { headers: CLOSE });
}
