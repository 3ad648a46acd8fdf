import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { ApiError } from '../errors/api-error.js';
import { traitsOf } from '../route-config.js';
import { RoundRobin } from './round-robin.js';
import { type Release, KeyedConcurrency } from './keyed-concurrency.js';
import { ClientAddress } from '../client-address.js';
import { RefusalPacing } from './refusal-pacing.js';

/** About twelve per connection to the database: more would wait longer than they run. */
const MAX_MANAGEMENT = 100;
/** Counts only verifications that are not answered from memory at once. */
const MAX_VERIFICATIONS = 10_000;
/** Management requests that are not authenticated yet, or wait for a slot. */
const MAX_ARRIVING = 2_000;
const ARRIVING_PER_ADDRESS = { running: 500, queued: 0 };
/**
 * Management slots per owner, for reads and for changes each, and per address, which several owners may share. With a
 * shorter queue, callers that wait behind calls to a frozen database would be answered 429 through no fault of theirs.
 */
const PER_OWNER = { running: 4, queued: 100 };
const PER_ADDRESS = { running: 20, queued: Number.POSITIVE_INFINITY };

/** Unauthenticated, forbidden and rate limited: delayed if repeated. */
const PACED_STATUSES = new Set([401, 403, 429]);
/** Other client errors count once per this many bytes of the body: reading it was work. */
const PACED_BYTES = 8_192;

/**
 * Sheds load: requests over the limits on concurrency are answered 503 at once. Management is shed long before
 * verification, which every request to the platform waits for. Health checks and metrics are never shed, so that an
 * overloaded process can report it.
 *
 * A management request counts as arriving at first. It gets a slot once its caller is authenticated and authorized
 * (`admit()`), so that requests that wait for a key set or for argon2 occupy none. Each address has a share of the
 * arriving requests, and each owner and address a share of the slots; requests over a share are answered 429. Repeated
 * refusals are delayed (`RefusalPacing`), without a slot.
 *
 * Other limits on a flood: `ConnectionLimit`, `answerInTurn()` for pipelined requests, `UnfinishedBodies`, and for callers
 * that are authenticated `ManagementRates`.
 */
@Injectable()
export class LoadShedding {
  readonly arriving = new ConcurrencyLimit(MAX_ARRIVING, 'Too many requests are arriving.');
  readonly management = new ConcurrencyLimit(MAX_MANAGEMENT, 'Too many requests are under way.');
  readonly verification = new ConcurrencyLimit(MAX_VERIFICATIONS, 'Too many verifications are under way.');

  private readonly arrivingByAddress = new KeyedConcurrency(
    ARRIVING_PER_ADDRESS,
    () => new TooManyConcurrentRequestsError(ARRIVING_PER_ADDRESS.running),
  );
  private readonly roundRobin = new RoundRobin();
  private readonly managementByOwner = new KeyedConcurrency(
    PER_OWNER,
    () => new TooManyConcurrentRequestsError(PER_OWNER.running),
  );
  private readonly managementByAddress = new KeyedConcurrency(
    PER_ADDRESS,
    () => new TooManyConcurrentRequestsError(PER_ADDRESS.running),
  );
  private readonly refusalPacing = new RefusalPacing();
  /** The slots of each request. */
  private readonly slots = new WeakMap<FastifyRequest, Release[]>();

  constructor(private readonly clientAddress: ClientAddress) {}

  /**
   * Takes a slot for a management request, in turn with others of its owner and of its address.
   *
   * @throws TooManyConcurrentRequestsError if too many requests of the owner are waiting; UnavailableError if all slots
   *   are in use
   */
  async admit(request: FastifyRequest, ownerId: string): Promise<void> {
    // The owner's slot first: requests that wait for it must not occupy one of the address, which others share. Reads and
    // changes are separate: a revocation does not wait behind slow lists
    const kind = request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'change';
    const releases = [await this.managementByOwner.acquire(`${kind}:${ownerId}`)];
    try {
      releases.push(await this.managementByAddress.acquire(this.clientAddress.networkOf(request.raw)));
      releases.push(this.acquireSlot(this.management));
    } catch (refusal) {
      for (const release of releases) release();
      throw refusal;
    }
    // No longer arriving
    this.release(request);
    this.slots.set(request, releases);
  }

  /** Lets one request proceed in each iteration of the event loop, even without a route; verifications do not wait. */
  async waitForTurn(request: FastifyRequest): Promise<void> {
    const { load } = traitsOf(request.routeOptions.config);
    if (load === 'verification' || load === 'unlimited') return;
    await this.roundRobin.waitForTurn(this.clientAddress.networkOf(request.raw), presentedCredential(request));
  }

  /** Takes a slot for a request whose body has arrived. @throws UnavailableError; TooManyConcurrentRequestsError */
  async accept(request: FastifyRequest): Promise<void> {
    const { load, weigh } = traitsOf(request.routeOptions.config);
    if (load === 'verification') {
      this.slots.set(request, [this.acquireSlot(this.verification, weigh?.(request.body))]);
      return;
    }
    if (load !== 'management') return;
    const arrival = await this.arrivingByAddress.acquire(this.clientAddress.networkOf(request.raw));
    this.slots.set(request, [arrival]);
    this.slots.get(request)?.push(this.acquireSlot(this.arriving));
  }

  /**
   * Releases the slots of a request once its work is done: not once the response is sent, which a slow reader would delay,
   * nor when the connection closes, after which the work continues.
   *
   * @param send called at once, or after a delay for repeated refusals
   */
  finish(request: FastifyRequest, status: number, send: () => void): void {
    this.release(request);
    this.pace(request.raw, refusalWeight(request, status), send);
  }

  /** The same for a refusal on the fast path, which holds no slots. */
  finishRefusal(request: IncomingMessage, status: number, send: () => void): void {
    this.pace(request, PACED_STATUSES.has(status) ? 1 : 0, send);
  }

  private pace(request: IncomingMessage, weight: number, send: () => void): void {
    if (weight === 0) return send();
    const delay = this.refusalPacing.delay(this.clientAddress.networkOf(request), performance.now(), weight);
    if (delay === 0) send();
    else setTimeout(send, delay);
  }

  private acquireSlot(limit: ConcurrencyLimit, weight?: number): Release {
    limit.acquire(weight);
    return () => limit.release(weight);
  }

  private release(request: FastifyRequest): void {
    for (const release of this.slots.get(request) ?? []) release();
    this.slots.delete(request);
  }
}

/** The number of refusals that a response counts as; 0 if it is never delayed. */
function refusalWeight({ context }: FastifyRequest, status: number): number {
  if (PACED_STATUSES.has(status)) return 1;
  if (status < 400 || status >= 500) return 0;
  return Math.floor(context.bodyBytes / PACED_BYTES);
}

/**
 * The credential as presented, in the headers that `presented-credentials.ts` reads: not verified yet, but it distinguishes
 * the callers of one network.
 */
function presentedCredential({ headers }: FastifyRequest): string {
  return String(headers.authorization ?? headers['pinning_api_key'] ?? headers['pinning-api-key'] ?? '');
}

/**
 * The caller itself has more requests in flight than its share. It is not an overload of the service, hence 429, with the
 * quota in the unit `concurrent-requests` of draft-ietf-httpapi-ratelimit-headers.
 */
class TooManyConcurrentRequestsError extends ApiError {
  constructor(max: number) {
    super('rate_limited', 'Too many of your requests are under way. Try again in a moment.', {
      verdict: 'RATE_LIMITED',
      headers: {
        'RateLimit-Policy': `"concurrency";q=${max};qu="concurrent-requests"`,
        RateLimit: '"concurrency";r=0;t=1',
        'Retry-After': '1',
      },
    });
  }
}
