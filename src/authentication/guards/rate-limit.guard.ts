import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { CallLimits } from '../call-limits.js';
import { requiresCaller } from '../../principals/requires-caller.js';
import type { AdmittedRequest } from '../../principals/caller-request.js';
import { SkipLimits } from '../../principals/decorators/skip-limits.decorator.js';

/** Applies the limits of a principal to its call; see `CallLimits`. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly callLimits: CallLimits,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (!requiresCaller(this.reflector, context)) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<AdmittedRequest>();
    if (this.reflector.getAllAndOverride(SkipLimits, targets)) {
      await this.callLimits.admitUncharged(request, request.user);
    } else {
      const headers = await this.callLimits.charge(request, request.user);
      http.getResponse<FastifyReply>().headers(headers);
    }
    return true;
  }
}
