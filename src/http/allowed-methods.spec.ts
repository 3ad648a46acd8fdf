import { AllowedMethods } from './allowed-methods.js';

const allowed = new AllowedMethods();
for (const [pattern, methods] of [
  ['/api/keys', ['POST']],
  ['/api/keys/list', 'GET'],
  ['/api/keys/list', 'HEAD'],
  ['/api/keys/:id', 'GET'],
  ['/api/keys/:id', 'DELETE'],
  ['/api/keys/:id/usage', 'GET'],
  ['/api/keys/verify', 'POST'],
  ['/api/keys/verify/batch', 'POST'],
  ['/docs/*', 'GET'],
  ['/docs/page', 'GET'],
] as const)
  allowed.add(pattern, methods);

it.each([
  ['/api/keys', ['POST']],
  ['/api/keys/list', ['GET', 'HEAD']],
  ['/api/keys/list/', ['GET', 'HEAD']],
  ['/api/keys/l%69st', ['GET', 'HEAD']],
  ['/api/keys/verify', ['POST']],
  ['/api/keys/verify/batch', ['POST']],
  ['/api/keys/7', ['DELETE', 'GET']],
  ['/api/keys/lists', ['DELETE', 'GET']],
  ['/api/keys/%', ['DELETE', 'GET']],
  ['/api/keys/verify/usage', ['GET']],
  ['/docs/page', ['GET']],
  ['/docs/a/b', ['GET']],
  ['/api/keys/7/nothing', []],
  ['/api', []],
])('%s allows %j, whatever a parameter in its place would allow', (path, methods) => {
  expect(allowed.of(path)).toEqual(methods);
});

it.each([
  ['/api/keys/list', '/api/keys/:id', true],
  ['/api/keys/li%73t/', '/api/keys/:id', true],
  ['/api/keys/list', '/api/keys/list', false],
  ['/api/keys/7', '/api/keys/:id', false],
  ['/api/keys/verify/usage', '/api/keys/:id/usage', false],
])('knows whether %s, routed as %s, belongs to a more literal route: %s', (path, pattern, isElsewhere) => {
  expect(allowed.belongsElsewhere(path, pattern)).toBe(isElsewhere);
});
