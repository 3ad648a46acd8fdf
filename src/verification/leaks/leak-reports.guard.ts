import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { LeakReportRates } from './leak-report-rates.js';

/** Limits leak reports per address. */
@Injectable()
export class LeakReportsGuard implements CanActivate {
  constructor(private readonly rates: LeakReportRates) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.rates.chargeAddress(context.switchToHttp().getRequest<FastifyRequest>().raw);
    return true;
  }
}
