import { Controller, Delete, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createGuard, type GuardVerdict } from '@w3ipfs/api-keys-guard';
import { ApiKeysGuardModule, CurrentKey, Public, RequireScopes } from '@w3ipfs/api-keys-guard/nest';

const { API_KEYS_URL = 'http://127.0.0.1:8000', API_KEYS_TOKEN = '', PORT = '3000' } = process.env;

const guard = createGuard({ url: API_KEYS_URL, token: API_KEYS_TOKEN });
const pins = new Set(['QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPBdG']);

@Controller('pins')
class PinsController {
  @Get()
  @RequireScopes('data.pin_list')
  list(@CurrentKey() key: GuardVerdict) {
    return { owner: key.ownerId, pins: [...pins] };
  }

  @Delete(':hash')
  @RequireScopes('pinning.unpin')
  unpin(@Param('hash') hash: string) {
    return { unpinned: pins.delete(hash) };
  }
}

@Controller('health')
@Public()
class HealthController {
  @Get()
  health() {
    return { guard: guard.state };
  }
}

@Module({ imports: [ApiKeysGuardModule.forRoot({ guard })], controllers: [PinsController, HealthController] })
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
app.enableShutdownHooks();
await app.listen(PORT, '127.0.0.1');
console.log(`Pins at ${await app.getUrl()}/pins`);
