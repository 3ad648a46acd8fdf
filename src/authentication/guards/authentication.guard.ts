import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { Public } from '../decorators/public.decorator.js';
import { presentedCredentials } from '../presented-credentials.js';
import { ApiKeyGuard, SessionGuard } from './passport.guards.js';

/** Lets nobody through to a route that isn't `@Public()` without a valid session or key pair. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly sessionGuard: SessionGuard,
    private readonly apiKeyGuard: ApiKeyGuard,
  ) {}

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    if (this.reflector.getAllAndOverride(Public, [context.getHandler(), context.getClass()])) return true;
    const presented = presentedCredentials(context.switchToHttp().getRequest<FastifyRequest>().raw);
    return 'token' in presented ? this.sessionGuard.canActivate(context) : this.apiKeyGuard.canActivate(context);
  }
}
