import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { addRouteConfig } from '../../http/route-config.js';

/** Opens a route to whoever asks; every other route wants a principal. */
export const Public = Reflector.createDecorator<void, true>({ transform: () => true });

/** The same for a handler that takes a body, which is read from whoever sends it. */
export function PublicWithBody(): MethodDecorator {
  return applyDecorators(Public(), addRouteConfig({ isOpen: true }));
}

/** Whether the body of a route is read from whoever sends it. */
export function isOpen(routeConfig: object): boolean {
  return 'isOpen' in routeConfig;
}
