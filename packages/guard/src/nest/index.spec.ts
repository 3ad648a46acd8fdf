import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { describeAdapter } from '../../test/adapter-contract.js';
import { createFakeGuard } from '../../test/fake-guard.js';
import { call } from '../../test/served.js';
import type { GuardVerdict } from '../types.js';
import { ApiKeysGuardModule, type ApiKeysGuardOptions, CurrentKey, Public, RequireScopes } from './index.js';

@Controller()
@RequireScopes(['pinning.unpin', 'data.pin_list'])
class Pins {
  @Get()
  @RequireScopes('pinning.unpin')
  unpin(@CurrentKey() key: GuardVerdict) {
    return { owner: key.ownerId };
  }

  @Get('both')
  both() {
    return {};
  }

  @Get('open')
  @Public()
  open(@CurrentKey() key: GuardVerdict | undefined) {
    return { isKnown: key !== undefined };
  }
}

@Controller('plain')
class Plain {
  @Get()
  plain() {
    return {};
  }
}

const PLATFORMS = [
  ['Fastify', () => new FastifyAdapter({ trustProxy: 'loopback' })],
  ['Express', () => new ExpressAdapter()],
] as const;

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe.each(PLATFORMS)('on %s', (_, createAdapter) => {
  async function start(options: ApiKeysGuardOptions, isAsync = false): Promise<string> {
    const guarding = isAsync
      ? ApiKeysGuardModule.forRootAsync({ useFactory: () => Promise.resolve(options) })
      : ApiKeysGuardModule.forRoot(options);
    @Module({ imports: [guarding], controllers: [Pins, Plain] })
    class App {}
    const app = await NestFactory.create(App, createAdapter(), { logger: false });
    apps.push(app);
    app.getHttpAdapter().getInstance().set?.('trust proxy', 'loopback');
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  describeAdapter((guard) => start({ guard }));

  it('needs the scopes of the class, no scope but a key without any, and nothing for a public route', async () => {
    const guard = createFakeGuard();
    const url = await start({ guard }, true);
    for (const path of ['/both', '/plain']) expect((await call(url + path)).status).toBe(200);
    expect(guard.asked.map(({ required }) => required?.scope)).toEqual([['pinning.unpin', 'data.pin_list'], undefined]);
    expect((await call(`${url}/plain`, {})).status).toBe(401);
    expect(await call(`${url}/open`, {})).toMatchObject({ status: 200, body: { isKnown: false } });
  });

  it('takes the address that the application finds', async () => {
    const guard = createFakeGuard();
    const url = await start({ guard, clientAddress: (request) => request.ip });
    await call(`${url}/plain`, { authorization: 'Bearer w3k_a.w3s_b', 'x-forwarded-for': '192.0.2.7' });
    expect(guard.asked[0]?.required).toEqual({ ip: '192.0.2.7' });
  });

  it('closes the guard on shutdown', async () => {
    const guard = createFakeGuard();
    await start({ guard });
    expect(guard.isClosed).toBe(false);
    await apps.pop()?.close();
    expect(guard.isClosed).toBe(true);
  });
});
