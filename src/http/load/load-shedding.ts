import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { ApiError } from '../errors/api-error.js';
import { traitsOf } from '../route-config.js';
import { RoundRobin } from './round-robin.js';
import { type Release, KeyedConcurrency } from './keyed-concurrency.js';
import { ClientAddress } from '../client-address.js';
import { RefusalPacing } from './refusal-pacing.js';

/** Some twelve for each connection to the database: what comes beyond would wait longer than it takes. */
const MAX_MANAGEMENT = 100;
/** Of those that are not answered at once from memory. */
const MAX_VERIFICATIONS = 10_000;
/** Management requests of which it is not clear yet whose they are, or that wait for their turn. */
const MAX_ARRIVING = 2_000;
/** Of one address. */
const ARRIVING_SHARE = { running: 500, queued: 0 };
/**
 * How many management places an owner has at once, for reads and for changes; and an address, which owners share. With
 * fewer, whoever waits behind calls that a frozen database holds for seconds would be told that it asks too much.
 */
const OWNER_SHARE = { running: 4, queued: 100 };
const ADDRESS_SHARE = { running: 20, queued: Number.POSITIVE_INFINITY };

/** Unauthenticated, forbidden and rate limited: repeated ones are delayed. */
const PACED = new Set([401, 403, 429]);
/** Any other error of the client's is delayed only if its body was large, and by its length: to read it was work. */
const PACED_BYTES = 8_192;

/**
 * How many requests may be under way; beyond, they are answered 503 at once. Management gives way long before
 * verification, which every request of the platform waits for. Health and metrics are always let in: an overloaded
 * process has to be able to say so.
 *
 * A management request arrives first, and gets a place only once it is known whose it is and nothing speaks against it
 * (`admit()`): whatever waits for a key set, for argon2 or for its turn holds none. Nobody has more than a share of the
 * arriving (an address) or of the places (an owner, an address); beyond, it is answered 429. Refusals that come one upon
 * the other are held back (`RefusalPacing`), while they hold no place.
 */
@Injectable()
export class LoadShedding {
  readonly arriving = new ConcurrencyLimit(MAX_ARRIVING, 'Too many requests are arriving.');
  readonly management = new ConcurrencyLimit(MAX_MANAGEMENT, 'Too many requests are under way.');
  readonly verification = new ConcurrencyLimit(MAX_VERIFICATIONS, 'Too many verifications are under way.');

  private readonly arrivals = new KeyedConcurrency(
    ARRIVING_SHARE,
    () => new TooManyConcurrentRequestsError(ARRIVING_SHARE.running),
  );
  private readonly roundRobin = new RoundRobin();
  private readonly owners = new KeyedConcurrency(
    OWNER_SHARE,
    () => new TooManyConcurrentRequestsError(OWNER_SHARE.running),
  );
  private readonly addresses = new KeyedConcurrency(
    ADDRESS_SHARE,
    () => new TooManyConcurrentRequestsError(ADDRESS_SHARE.running),
  );
  private readonly pacing = new RefusalPacing();
  /** What each request gives back when it is answered. */
  private readonly held = new WeakMap<FastifyRequest, Release[]>();

  constructor(private readonly clientAddress: ClientAddress) {}

  /**
   * Gives a management request its place, in turn with others of its owner and of its address.
   *
   * @throws OwnExcessError if its owner has too many waiting; UnavailableError if no place is left
   */
  async admit(request: FastifyRequest, ownerId: string): Promise<void> {
    // The owner's turn first: whoever waits for that must not hold the address, which others call from too. Reads have
    // turns of their own, which are long where there are many: no revocation waits behind them
    const kind = request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'change';
    const releases = [await this.owners.acquire(`${kind}:${ownerId}`)];
    try {
      releases.push(await this.addresses.acquire(this.clientAddress.networkOf(request.raw)));
      releases.push(this.enterLimit(this.management));
    } catch (refusal) {
      for (const release of releases) release();
      throw refusal;
    }
    // It has arrived
    this.release(request);
    this.held.set(request, releases);
  }

  /** Lets requests through one per iteration of the event loop, even those that match no route; verifications do not wait. */
  async waitForTurn(request: FastifyRequest): Promise<void> {
    const { load } = traitsOf(request.routeOptions.config);
    if (load === 'verification' || load === 'unlimited') return;
    await this.roundRobin.turn(this.clientAddress.networkOf(request.raw), presentedBy(request));
  }

  /** Counts a request whose body has arrived. @throws UnavailableError; TooManyConcurrentRequestsError */
  async enter(request: FastifyRequest): Promise<void> {
    const { load, weigh } = traitsOf(request.routeOptions.config);
    if (load === 'verification') {
      this.held.set(request, [this.enterLimit(this.verification, weigh?.(request.body))]);
      return;
    }
    if (load !== 'management') return;
    const turn = await this.arrivals.acquire(this.clientAddress.networkOf(request.raw));
    this.held.set(request, [turn]);
    this.held.get(request)?.push(this.enterLimit(this.arriving));
  }

  /**
   * Releases what a request holds once its work is done: not once the response is sent, which a slow reader would decide,
   * nor once its connection closes, after which the work continues.
   *
   * @param send is delayed for repeated refusals
   */
  leave(request: FastifyRequest, status: number, send: () => void): void {
    this.release(request);
    const weight = refusalWeight(request, status);
    const delay = weight === 0 ? 0 : this.delayOf(request, weight);
    if (delay === 0) send();
    else setTimeout(send, delay);
  }

  private delayOf({ raw }: FastifyRequest, weight: number): number {
    return this.pacing.delay(this.clientAddress.networkOf(raw), performance.now(), weight);
  }

  private enterLimit(limit: ConcurrencyLimit, weight?: number): Release {
    limit.acquire(weight);
    return () => limit.release(weight);
  }

  private release(request: FastifyRequest): void {
    for (const release of this.held.get(request) ?? []) release();
    this.held.delete(request);
  }
}

/** How many refusals a response counts as; 0 if it is never delayed. */
function refusalWeight({ headers }: FastifyRequest, status: number): number {
  if (PACED.has(status)) return 1;
  if (status < 400 || status >= 500) return 0;
  return Math.floor(Number(headers['content-length'] ?? 0) / PACED_BYTES);
}

/** Of what a request presents, the first: not verified yet, but enough to keep callers of one network apart. */
function presentedBy({ headers }: FastifyRequest): string {
  return String(headers.authorization ?? headers['pinning_api_key'] ?? headers['pinning-api-key'] ?? '');
}

/**
 * More of one caller's own requests are under way than its share allows. That is its own doing and not an overload of
 * the service: 429, with the quota in the unit that draft-ietf-httpapi-ratelimit-headers has for it.
 */
class TooManyConcurrentRequestsError extends ApiError {
  constructor(most: number) {
    super('rate_limited', 'Too many of your requests are under way. Try again in a moment.', {
      headers: {
        'RateLimit-Policy': `"concurrency";q=${most};qu="concurrent-requests"`,
        RateLimit: '"concurrency";r=0;t=1',
        'Retry-After': '1',
      },
    });
  }
}
