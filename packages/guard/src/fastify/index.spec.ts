import fastify, { type FastifyInstance } from 'fastify';
import { describeAdapter } from '../../test/adapter-contract.js';
import { createFakeGuard } from '../../test/fake-guard.js';
import { call } from '../../test/served.js';
import { apiKeysGuard, type ApiKeysGuardOptions } from './index.js';

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(options: ApiKeysGuardOptions, addRoutes: (app: FastifyInstance) => unknown): Promise<string> {
  const app = fastify({ trustProxy: 'loopback' });
  apps.push(app);
  addRoutes(app);
  app.register(apiKeysGuard, options);
  return app.listen({ host: '127.0.0.1', port: 0 });
}

describeAdapter((guard) =>
  start({ guard }, (app) =>
    app.get('/', { config: { scopes: ['pinning.unpin'] } }, ({ apiKey }) => ({ owner: apiKey?.ownerId })),
  ),
);

it('guards routes registered before it, after it and in other plugins, unless they are public', async () => {
  const guard = createFakeGuard();
  const url = await start({ guard }, (app) => {
    app.get('/before', () => ({}));
    app.get('/open', { config: { public: true } }, ({ apiKey }) => ({ apiKey }));
    app.register((nested, _, done) => {
      nested.get('/nested', () => ({}));
      done();
    });
    app.after(() => app.get('/after', () => ({})));
  });
  for (const path of ['/before', '/nested', '/after'])
    expect([path, (await call(url + path, {})).status]).toEqual([path, 401]);
  expect(await call(`${url}/open`, {})).toMatchObject({ status: 200, body: { apiKey: null } });
  expect((await call(`${url}/missing`, {})).status).toBe(404);
  expect((await call(`${url}/after`)).status).toBe(200);
  expect(guard.asked.map(({ required }) => required?.scope)).toEqual([undefined]);
});

it('takes the address that the application finds', async () => {
  const guard = createFakeGuard();
  const url = await start({ guard, clientAddress: (request) => request.ip }, (app) => app.get('/', () => ({})));
  await call(url, { authorization: 'Bearer w3k_a.w3s_b', 'x-forwarded-for': '192.0.2.7' });
  expect(guard.asked[0]?.required).toEqual({ ip: '192.0.2.7' });
});

it('closes the guard with the application', async () => {
  const guard = createFakeGuard();
  await start({ guard }, () => undefined);
  expect(guard.isClosed).toBe(false);
  await apps.pop()?.close();
  expect(guard.isClosed).toBe(true);
});

const MISTAKES = [
  { scope: ['pinning.unpin'] },
  { scopes: 'pinning.unpin' },
  { scopes: null },
  { scopes: [''] },
] as never[];

it.each(MISTAKES)('opens no route with %j', async (config) => {
  const url = await start({ guard: createFakeGuard() }, (app) => app.get('/', { config }, () => ({})));
  expect((await call(url, { authorization: 'Bearer w3k_a.w3s_b' })).status).toBe(500);
  const app = fastify();
  apps.push(app);
  await app.register(apiKeysGuard, { guard: createFakeGuard() });
  expect(() => app.get('/', { config }, () => ({}))).toThrow(TypeError);
});

it('is not registered without a guard', async () => {
  await expect(start({} as ApiKeysGuardOptions, () => undefined)).rejects.toThrow('needs the option guard');
});
