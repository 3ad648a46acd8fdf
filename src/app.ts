import { setTimeout as sleep } from 'node:timers/promises';
import { type DynamicModule, type INestApplication, type LoggerService, NotFoundException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { AppModule } from './app.module.js';
import type { Clock } from './clock.js';
import type { Environment } from './config/environment.js';
import { AllowedMethods } from './http/allowed-methods.js';
import { Cors } from './http/cors.js';
import { DirectLane } from './http/fast-path.js';
import { connectDirectly } from './http/direct.decorator.js';
import { ErrorAnswers } from './http/errors/error-answers.js';
import { createHttpServer, receiveBodies } from './http/server.js';
import { RequestBodies } from './http/body/request-bodies.js';
import { Database } from './database/database.js';
import { ENTITIES } from './entities.js';
import { createDocument, serveDocument } from './openapi/document.js';
import { RequestObserver } from './operations/telemetry/request-observer.js';
import { createLogger } from './logging/logger.js';
import { LoadShedding } from './http/load/load-shedding.js';
import { Tracing } from './operations/telemetry/tracing.js';

const WITHOUT_PREFIX = ['/', 'health/live', 'health/ready', 'metrics'];

/** How long a start that has failed waits for what it had begun. */
const CLOSE_WITHIN_MS = 2_000;

/** In place of the host's time and of what the configuration says of the log. */
interface AppOptions {
  clock?: Clock;
  logger?: LoggerService;
}

/** The whole service, ready to listen: what the process and the tests share. */
export async function createApp(
  environment: Environment,
  { clock, logger = createLogger(environment) }: AppOptions = {},
): Promise<NestFastifyApplication> {
  const database = await Database.open(environment.database, { entities: ENTITIES });
  const cors = new Cors(environment.corsOrigins);
  return buildApp(AppModule.forRoot(environment, database, clock), logger, cors).catch(async (error: unknown) => {
    // What is still under way on it may never end
    await Promise.race([database.close(), sleep(CLOSE_WITHIN_MS, undefined, { ref: false })]);
    throw error;
  });
}

async function buildApp(module: DynamicModule, logger: LoggerService, cors: Cors): Promise<NestFastifyApplication> {
  const lane = new DirectLane();
  const app = await NestFactory.create<NestFastifyApplication>(module, createHttpServer(lane, cors), {
    bodyParser: false,
    abortOnError: false,
    logger,
  });
  const allowedMethods = app.get(AllowedMethods, { strict: false });
  const bodies = app.get(RequestBodies, { strict: false });
  const fastify = app.getHttpAdapter().getInstance();
  receiveBodies(fastify, bodies);
  fastify.addHook('onRoute', (route) => {
    allowedMethods.add(route.url, route.method);
    connectDirectly(app, lane, route);
  });
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { url: pattern = '' } = request.routeOptions;
    const [path = ''] = request.url.split('?', 1);
    const isMisrouted = pattern.includes(':') && allowedMethods.belongsElsewhere(path, pattern);
    done(isMisrouted ? new NotFoundException() : undefined);
  });
  serveDocument(prefixed(app));
  await app.init();
  const errorAnswers = app.get(ErrorAnswers, { strict: false });
  const answered = app.get(RequestObserver, { strict: false });
  lane.open({
    answerFailure: (cause, request) => errorAnswers.of(cause, request),
    begin: () => answered.begin(),
    tell: (request) => answered.completed(request),
    admission: app.get(LoadShedding, { strict: false }).verification,
    bodies,
    trace: app.get<Tracing | null>(Tracing, { strict: false })?.trace,
  });
  return app;
}

/**
 * The document of the service's routes, made without a database or a configuration:
 * in preview mode, Nest reads the modules and builds nothing.
 */
export async function documentApp(): Promise<OpenAPIObject> {
  const module = AppModule.forRoot({} as Environment, {} as Database);
  const server = createHttpServer(new DirectLane(), new Cors([]));
  const app = await NestFactory.create(module, server, { preview: true, logger: false });
  return createDocument(prefixed(app));
}

/** All routes are under `/api`, but for those that balancers ask. */
function prefixed<T extends INestApplication>(app: T): T {
  return app.setGlobalPrefix('api', { exclude: WITHOUT_PREFIX });
}
