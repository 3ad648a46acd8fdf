import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { ENVIRONMENT, type Environment } from '../../config/environment.js';
import { type NamedRate, rateLimitHeaders } from '../../limits/rate-limit-headers.js';
import { rateOf } from '../../limits/metering.js';
import { RateLimiter } from '../../limits/rate-limiter.js';
import { Verifier } from '../../verification/verifier.js';
import type { AuthenticatedRequest } from '../decorators/current-principal.decorator.js';
import { FreeOfCharge } from '../decorators/free-of-charge.decorator.js';
import { Public } from '../decorators/public.decorator.js';
import { RateLimitedError, refusalError } from '../errors.js';

const WINDOW_SECONDS = 60;

/** Grants a principal so many calls a minute, and charges an API key one use for each. */
@Injectable()
export class AllowanceGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly rateLimiter: RateLimiter,
    private readonly verifier: Verifier,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if ([Public, FreeOfCharge].some((open) => this.reflector.getAllAndOverride(open, targets))) return true;
    const http = context.switchToHttp();
    const { user: principal } = http.getRequest<AuthenticatedRequest>();
    const limit = { requests: this.environment.managementRateLimit, windowSeconds: WINDOW_SECONDS };
    const managed = await this.rateLimiter.take(`management:${principal.reference}`, limit, 1);
    const charge = managed.granted && principal.apiKey ? await this.verifier.charge(principal.apiKey, 1) : null;
    const rates: NamedRate[] = [{ name: 'management', ...managed }, ...rateOf(charge)];
    if (!managed.granted) throw new RateLimitedError(rates);
    if (charge?.refusal) throw refusalError(charge.refusal, { rates });
    http.getResponse<FastifyReply>().headers(rateLimitHeaders(rates));
    return true;
  }
}
