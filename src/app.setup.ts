import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import type { Environment } from './config/environment.js';
import { AllowedMethods } from './contract/allowed-methods.js';
import { createHttpServer } from './contract/http-server.js';
import { Database } from './database/database.js';
import { serveDocument } from './openapi/document.js';
import { createLogger } from './operations/logger.js';

const WITHOUT_PREFIX = ['health/live', 'health/ready'];

/** The whole service, ready to listen: what the process and the tests share. */
export async function createApp(environment: Environment): Promise<NestFastifyApplication> {
  const database = await Database.open(environment.database);
  const module = AppModule.forRoot(environment, database);
  const app = await NestFactory.create<NestFastifyApplication>(module, createHttpServer(), {
    bodyParser: false,
    abortOnError: false,
    logger: createLogger(environment),
  });
  const allowedMethods = app.get(AllowedMethods, { strict: false });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ url, method }) => allowedMethods.add(url, method));
  app.setGlobalPrefix('api', { exclude: WITHOUT_PREFIX });
  serveDocument(app);
  await app.init();
  return app;
}
