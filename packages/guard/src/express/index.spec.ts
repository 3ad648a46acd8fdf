import express, { type Request, type Response } from 'express';
import { describeAdapter } from '../../test/adapter-contract.js';
import { createFakeGuard } from '../../test/fake-guard.js';
import { call, serve } from '../../test/served.js';
import { requireScopes } from './index.js';

function showOwner(request: Request, response: Response): void {
  response.json({ owner: request.apiKey?.ownerId });
}

describeAdapter((guard) => {
  const app = express().set('env', 'test');
  app.get('/', requireScopes(guard, 'pinning.unpin'), showOwner);
  return serve(app);
});

it('takes the address that the application finds', async () => {
  const guard = createFakeGuard();
  const app = express().set('trust proxy', 'loopback');
  app.use(requireScopes(guard, [], { clientAddress: (request: Request) => request.ip }));
  await call(await serve(app), { authorization: 'Bearer w3k_a.w3s_b', 'x-forwarded-for': '192.0.2.7' });
  expect(guard.asked).toEqual([{ presented: { apiKey: 'w3k_a', secretKey: 'w3s_b' }, required: { ip: '192.0.2.7' } }]);
});

it.each<[string, unknown[]]>([
  ['an empty scope', [createFakeGuard(), '']],
  ['a misspelt one', [createFakeGuard(), 'Pinning.unpin']],
  ['no scopes', [createFakeGuard()]],
  ['no guard', ['pinning.unpin']],
  ['several scopes that are no list', [createFakeGuard(), 'data.pin_list', 'pinning.unpin']],
])('is not created with %s', (_, given) => {
  expect(() => (requireScopes as (...all: unknown[]) => unknown)(...given)).toThrow(TypeError);
});
