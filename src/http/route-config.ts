import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';

/** What kind of route it is: set by decorators, read by the pipeline. */
export interface RouteTraits {
  /** Which limit on concurrent requests applies; pages have none, and `unlimited` is never delayed either. */
  load?: 'management' | 'verification' | 'unlimited';
  /** How many requests one counts as, by its body; 1 by default. */
  weigh?: (body: unknown) => number;
  /** For the services of the platform, which present a service token. */
  isForServices?: true;
  /** For services and gateways of the platform: no browser may call it. */
  isPlatformOnly?: true;
  /** Its body is read from any sender; otherwise only from one whose headers may be right. */
  readsAnyBody?: true;
  /** Decides by the headers alone, and skips a body. */
  ignoresBody?: true;
}

/** @param config Fastify's, of a route */
export function traitsOf(config: object | undefined): RouteTraits {
  return config ?? {};
}

/** Adds to a handler's configuration in Fastify; `RouteConfig()` alone would replace what other decorators have set. */
export function Route(traits: RouteTraits): MethodDecorator {
  return (prototype, name, descriptor) => {
    const handler = descriptor.value as object;
    const present = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as RouteTraits | undefined;
    RouteConfig({ ...traits, ...present })(prototype, name, descriptor);
  };
}

/** The same for all handlers of a controller; what a handler says itself takes precedence. */
export function Routes(traits: RouteTraits): ClassDecorator {
  return ({ prototype }) => {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype as object))) {
      if (name !== 'constructor' && typeof descriptor.value === 'function')
        Route(traits)(prototype as object, name, descriptor);
    }
  };
}
