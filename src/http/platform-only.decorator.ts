import { addRouteConfig } from './route-config.js';

/** Marks a route for the platform's services or gateways, which clients have no use for: no browser may call it. */
export function PlatformOnly(): MethodDecorator {
  return addRouteConfig({ isPlatformOnly: true });
}

/** @param routeConfig of Fastify */
export function isPlatformOnly(routeConfig: object): boolean {
  return 'isPlatformOnly' in routeConfig;
}
