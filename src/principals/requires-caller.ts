import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ServicesOnly } from './decorators/for-services.decorator.js';
import { Public } from './decorators/public.decorator.js';

/** Whether a route requires a session or an API key: unless it is public, or for services. */
export function requiresCaller(reflector: Reflector, context: ExecutionContext): boolean {
  const targets = [context.getHandler(), context.getClass()];
  return ![Public, ServicesOnly].some((decorator) => reflector.getAllAndOverride(decorator, targets));
}
