import { hash } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RateLimitedError } from '../authentication/errors.js';
import { ClientAddress } from '../limits/client-address.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import type { LeakReportDto } from './dto/leak.dto.js';

const WINDOW_SECONDS = 60;
/** Whoever has more to report, from one address, goes on a minute later. */
const BY_ADDRESS = { requests: 60, windowSeconds: WINDOW_SECONDS };
/** The first has ended the pair; the others are mistakes, or worse. */
const OF_ONE_PAIR = { requests: 10, windowSeconds: WINDOW_SECONDS };

/** Bounds how often leaks are reported, by whoever: from one address, and of one pair, whether it is good or not. */
@Injectable()
export class LeakReportsGuard implements CanActivate {
  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly clientAddress: ClientAddress,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { raw, body } = context.switchToHttp().getRequest<FastifyRequest>();
    const address = `leak:address:${this.clientAddress.networkOf(raw)}`;
    const byAddress = await this.rateLimiter.take(address, BY_ADDRESS, 1);
    if (!byAddress.granted) throw new RateLimitedError([{ name: 'address', ...byAddress }]);
    const ofPair = await this.rateLimiter.take(`leak:pair:${digestOf(body)}`, OF_ONE_PAIR, 1);
    if (ofPair.granted) return true;
    await byAddress.giveBack();
    throw new RateLimitedError([{ name: 'pair', ...ofPair }]);
  }
}

/** Of the body as it was sent: what does not fit is refused afterwards. */
function digestOf(body: unknown): string {
  const { api_key: apiKey, secret_key: secretKey } = (body ?? {}) as Partial<LeakReportDto>;
  return hash('sha256', `${String(apiKey)}.${String(secretKey)}`, 'base64url');
}
