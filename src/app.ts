import { setTimeout as sleep } from 'node:timers/promises';
import type { DynamicModule, INestApplication, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AppModule } from './app.module.js';
import { HeaderCheck } from './authentication/header-check.js';
import type { Clock } from './clock.js';
import type { Environment } from './config/environment.js';
import { Database } from './database/database.js';
import { ENTITIES } from './entities.js';
import { AllowedMethods } from './http/allowed-methods.js';
import { RequestBodies } from './http/body/request-bodies.js';
import { Cors } from './http/cors.js';
import { FastPath } from './http/fast-path.js';
import { LoadShedding } from './http/load/load-shedding.js';
import { answerInTurn } from './http/load/pipelined-requests.js';
import { registerPipeline } from './http/pipeline.js';
import { RequestEvents } from './http/request-events.js';
import { addLayer, normalizeTarget } from './http/request-listener.js';
import { createFastify } from './http/server.js';
import { createLogger } from './logging/logger.js';
import { createDocument, serveDocument } from './openapi/document.js';
import { Tracing } from './operations/telemetry/tracing.js';

const UNPREFIXED_PATHS = ['/', 'health/live', 'health/ready', 'metrics'];

/** The time that a failed start gives the database to close. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Overrides for tests. */
interface AppOptions {
  clock?: Clock;
  logger?: LoggerService;
  /** On by default; without it, the service is slower and otherwise the same. */
  fastPath?: boolean;
}

/** Creates the whole service, ready to listen, for the process and for the tests. */
export async function createApp(
  environment: Environment,
  { clock, logger = createLogger(environment), fastPath = true }: AppOptions = {},
): Promise<NestFastifyApplication> {
  const database = await Database.open(environment.database, { entities: ENTITIES });
  const cors = new Cors(environment.corsOrigins);
  const module = AppModule.forRoot(environment, database, clock);
  return buildApp(module, { logger, cors, fastPath }).catch(async (error: unknown) => {
    // Queries in progress may never end
    await Promise.race([database.close(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    throw error;
  });
}

async function buildApp(
  module: DynamicModule,
  { logger, cors, fastPath }: { logger: LoggerService; cors: Cors; fastPath: boolean },
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(module, createFastify(cors), {
    bodyParser: false,
    abortOnError: false,
    logger,
  });
  const get = <T>(type: Type<T>) => app.get(type, { strict: false });
  registerPipeline(app.getHttpAdapter().getInstance(), {
    allowedMethods: get(AllowedMethods),
    bodies: get(RequestBodies),
    cors,
    events: get(RequestEvents),
    loadShedding: get(LoadShedding),
    checkCredentials: (request) => get(HeaderCheck).check(request),
  });
  serveDocument(withPrefix(app));
  await app.init();
  addLayers(app, fastPath);
  return app;
}

/** Adds the layers in front of Fastify, innermost first. */
function addLayers(app: NestFastifyApplication, hasFastPath: boolean): void {
  const server = app.getHttpServer();
  if (hasFastPath) app.get(FastPath, { strict: false }).install(server);
  const tracing = app.get<Tracing | null>(Tracing, { strict: false });
  if (tracing)
    addLayer(server, (request, response, next) => tracing.trace(request, response, () => next(request, response)));
  addLayer(server, normalizeTarget);
  addLayer(server, answerInTurn());
}

/**
 * The OpenAPI document of the routes. Needs neither a database nor a configuration: in preview mode, Nest scans the modules
 * without instantiating them.
 */
export async function documentApp(): Promise<OpenAPIObject> {
  const module = AppModule.forRoot({} as Environment, {} as Database);
  const app = await NestFactory.create(module, createFastify(new Cors([])), { preview: true, logger: false });
  return createDocument(withPrefix(app));
}

/** Puts all routes under `/api` except those for balancers and scrapers. */
function withPrefix<T extends INestApplication>(app: T): T {
  return app.setGlobalPrefix('api', { exclude: UNPREFIXED_PATHS });
}
