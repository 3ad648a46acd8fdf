import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { KeyPair } from '../api-keys/credentials.js';
import { RateLimitedError } from '../authentication/errors.js';
import { ClientAddress } from '../limits/client-address.js';
import { type RateDecision, RateLimiter } from '../limits/rate-limiter.js';

const WINDOW_SECONDS = 60;
/** Whoever has more to report, from one address, goes on a minute later. */
const BY_ADDRESS = { requests: 120, windowSeconds: WINDOW_SECONDS };
/** The first has ended the pair; the others are mistakes, or worse. */
const OF_ONE_PAIR = { requests: 30, windowSeconds: WINDOW_SECONDS };

/** Bounds how often leaks are reported, by whoever: from one address, before the body is parsed, and of one pair. */
@Injectable()
export class LeakReportsGuard implements CanActivate {
  /** What each report was charged against its address: it is given back where its pair is refused. */
  private readonly taken = new WeakMap<IncomingMessage, RateDecision>();

  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly clientAddress: ClientAddress,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    const address = `leak:address:${this.clientAddress.networkOf(raw)}`;
    const byAddress = await this.rateLimiter.take(address, BY_ADDRESS, 1);
    if (!byAddress.granted) throw new RateLimitedError([{ name: 'address', ...byAddress }]);
    this.taken.set(raw, byAddress);
    return true;
  }

  /** The rest of it, for the handler, which knows the pair. @throws RateLimitedError, whether the pair is good or not */
  async countPair({ apiKey, secretKey }: KeyPair, { raw }: FastifyRequest): Promise<void> {
    const digest = hash('sha256', `${apiKey}.${secretKey}`, 'base64url');
    const ofPair = await this.rateLimiter.take(`leak:pair:${digest}`, OF_ONE_PAIR, 1);
    if (ofPair.granted) return;
    await this.taken.get(raw)?.giveBack();
    throw new RateLimitedError([{ name: 'pair', ...ofPair }]);
  }
}
