import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Routes, type RouteTraits } from '../../http/route-config.js';
import { ApiServiceToken } from '../../openapi/security.js';

/** Read by the authentication guard; set it with `@ForServices()`. */
export const ServicesOnly = Reflector.createDecorator<void, true>({ transform: () => true });

/**
 * Requires the token of a service for all routes of a controller, and documents that. Enforced by `HeaderCheck`, on the
 * fast path by the route (`identify`), and again by `AuthenticationGuard`, which reads the caller from it.
 */
export function ForServices({ load = 'verification' }: Pick<RouteTraits, 'load'> = {}): ClassDecorator {
  return applyDecorators(
    ServicesOnly(),
    Routes({ load, isForServices: true, isPlatformOnly: true }),
    ApiServiceToken(),
  );
}
