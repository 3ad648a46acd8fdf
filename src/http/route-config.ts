import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { type BodyBounds, ORDINARY_BOUNDS } from './body/body-bounds.js';

/** The traits of a route: set by decorators, read by the pipeline. */
export interface RouteTraits {
  /** The limit on concurrent requests that applies. Pages have none; `unlimited` is never delayed either. */
  load?: 'management' | 'verification' | 'unlimited';
  /** The number of requests that one counts as, by its body; 1 by default. */
  weigh?: (body: unknown) => number;
  /** For services of the platform, which present a service token. */
  isForServices?: true;
  /** For services and gateways of the platform: no browser may call it. */
  isPlatformOnly?: true;
  /** Its body is read from any sender; otherwise only if the credentials in the headers may be valid. */
  readsAnyBody?: true;
  /** Reads the query in the URL itself, and rejects what it does not know. */
  readsQuery?: true;
  /** Reads the headers alone, and skips a body. */
  ignoresBody?: true;
  /** If they are not the ordinary ones. The fast path knows only those. */
  bodyBounds?: BodyBounds;
}

/** @param config of a route, as Fastify stores it */
export function traitsOf(config: object | undefined): RouteTraits {
  return config ?? {};
}

export function bodyBoundsOf(config: object | undefined): BodyBounds {
  return traitsOf(config).bodyBounds ?? ORDINARY_BOUNDS;
}

/** Adds traits to a handler; `RouteConfig()` alone would replace those that other decorators have set. */
export function Route(traits: RouteTraits): MethodDecorator {
  return (prototype, name, descriptor) => {
    const handler = descriptor.value as object;
    const present = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as RouteTraits | undefined;
    RouteConfig({ ...traits, ...present })(prototype, name, descriptor);
  };
}

/** The same for all handlers of a controller; a handler's own traits take precedence. */
export function Routes(traits: RouteTraits): ClassDecorator {
  return ({ prototype }) => {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype as object))) {
      if (name !== 'constructor' && typeof descriptor.value === 'function')
        Route(traits)(prototype as object, name, descriptor);
    }
  };
}
