import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ConcurrencyLimit } from './concurrency-limit.js';
import { ApiError } from '../errors/api-error.js';
import { fastifyOf } from '../fastify.js';
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

/** An overloaded process has to be able to say so. */
const UNHINDERED = new Set(['/health/live', '/health/ready', '/metrics']);
/** Unauthenticated, forbidden and rate limited: whoever gets these again and again is told less often. */
const HELD_BACK = new Set([401, 403, 429]);

/** What a direct route says of its requests: how many places they take, by their body. */
interface RouteConfig {
  direct?: { options?: { weigh?: (body: unknown) => number } };
}

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
export class LoadShedding implements OnModuleInit {
  readonly arriving = new ConcurrencyLimit(MAX_ARRIVING, 'Too many requests are arriving.');
  readonly management = new ConcurrencyLimit(MAX_MANAGEMENT, 'Too many requests are under way.');
  /** Whoever takes the direct lane asks it. */
  readonly verification = new ConcurrencyLimit(MAX_VERIFICATIONS, 'Too many verifications are under way.');

  private readonly arrivals = new KeyedConcurrency(
    ARRIVING_SHARE,
    () => new TooManyConcurrentRequestsError(ARRIVING_SHARE.running),
  );
  private readonly oneByOne = new RoundRobin();
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

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly clientAddress: ClientAddress,
  ) {}

  onModuleInit(): void {
    const fastify = fastifyOf(this.adapterHost);
    fastify?.addHook('onRequest', async (request) => this.goOn(request));
    // From when the body is there, since whoever sends it slowly must not keep others out, until the work is done: not
    // until the answer has gone, for which a slow reader would decide, nor until its connection ends, after which the
    // work goes on
    fastify?.addHook('preValidation', async (request) => this.receive(request));
    fastify?.addHook('onSend', (request, reply, payload, done) => {
      this.release(request);
      const delay = HELD_BACK.has(reply.statusCode) ? this.delayOf(request) : 0;
      if (delay === 0) done(null, payload);
      else setTimeout(done, delay, null, payload);
    });
  }

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
      releases.push(this.enter(this.management));
    } catch (refusal) {
      for (const release of releases) release();
      throw refusal;
    }
    // It has arrived
    this.release(request);
    this.held.set(request, releases);
  }

  /** Lets ordinary requests go on one by one, also those that lead nowhere; health, metrics and verifications do not wait. */
  private async goOn(request: FastifyRequest): Promise<void> {
    const { url = '', config } = request.routeOptions;
    if ('direct' in config || UNHINDERED.has(url)) return;
    await this.oneByOne.turn(this.clientAddress.networkOf(request.raw), presentedBy(request));
  }

  private async receive(request: FastifyRequest): Promise<void> {
    const { url, config } = request.routeOptions;
    if (!url?.startsWith('/api/')) return;
    const { direct } = config as RouteConfig;
    // Requests of direct routes that the lane does not take come this way too
    if (direct) {
      const weight = direct.options?.weigh?.(request.body);
      this.held.set(request, [this.enter(this.verification, weight)]);
      return;
    }
    const network = this.clientAddress.networkOf(request.raw);
    const turn = await this.arrivals.acquire(network);
    this.held.set(request, [turn]);
    this.held.get(request)?.push(this.enter(this.arriving));
  }

  private delayOf({ raw }: FastifyRequest): number {
    return this.pacing.delay(this.clientAddress.networkOf(raw), performance.now());
  }

  private enter(admission: ConcurrencyLimit, weight?: number): Release {
    admission.acquire(weight);
    return () => admission.release(weight);
  }

  private release(request: FastifyRequest): void {
    for (const release of this.held.get(request) ?? []) release();
    this.held.delete(request);
  }
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
