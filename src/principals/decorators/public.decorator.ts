import { applyDecorators } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Route } from '../../http/route-config.js';

/** Opens a route to everyone; every other route requires a caller. */
export const Public = Reflector.createDecorator<void, true>({ transform: () => true });

/** The same for a handler with a body, which any sender may send. */
export function PublicWithBody(): MethodDecorator {
  return applyDecorators(Public(), Route({ readsAnyBody: true }));
}
