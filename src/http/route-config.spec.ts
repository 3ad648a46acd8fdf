import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { Route, Routes, type RouteTraits, traitsOf } from './route-config.js';

@Routes({ load: 'management', isForServices: true })
class Controller {
  readonly property = 1;

  inherits(): void {}

  @Route({ load: 'verification' })
  overrides(): void {}

  @Route({ ignoresBody: true })
  @Route({ readsAnyBody: true })
  combines(): void {}
}

const traitsOn = (handler: object) =>
  Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) as RouteTraits | undefined;
const handlerOf = (name: string) => Object.getOwnPropertyDescriptor(Controller.prototype, name)?.value as object;

it.each<[string, RouteTraits]>([
  ['inherits', { load: 'management', isForServices: true }],
  ['overrides', { load: 'verification', isForServices: true }],
  ['combines', { load: 'management', isForServices: true, ignoresBody: true, readsAnyBody: true }],
])('a handler %s the traits of its controller', (name, traits) => {
  expect(traitsOn(handlerOf(name))).toEqual(traits);
});

it('does not mark the constructor', () => {
  expect(traitsOn(Controller)).toBeUndefined();
});

it('reads a route without traits as one that has none', () => {
  expect(traitsOf(undefined)).toEqual({});
});
