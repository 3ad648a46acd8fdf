import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';

/** Adds to a handler's configuration in Fastify; `RouteConfig()` alone would replace what other decorators have put there. */
export function addRouteConfig(config: object): MethodDecorator {
  return (prototype, name, descriptor) => {
    const present = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) as
      object | undefined;
    RouteConfig({ ...present, ...config })(prototype, name, descriptor);
  };
}
