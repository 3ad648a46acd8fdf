import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.js';
import type { Clock } from '../../src/clock.js';
import { loadEnvironment } from '../../src/configuration.js';
import { Client } from './client.js';
import { KeptLog } from './log.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { accountService } from './sessions.js';

/** The whole service in this process, and an HTTP client for it. */
export interface TestService {
  app: NestFastifyApplication;
  client: Client;
  database: TestDatabase;
  stop(): Promise<void>;
}

/** Starts it on a new database, dropped when it stops, or on one that the test keeps for several services in turn. */
export async function startService(
  variables: Record<string, string> = {},
  keptDatabase?: TestDatabase,
  clock?: Clock,
): Promise<TestService> {
  const database = keptDatabase ?? (await createTestDatabase());
  const keys = variables['JWT_JWKS_URL'] ? {} : { JWT_PUBLIC_KEY: accountService.publicKey };
  const app = await createApp(
    loadEnvironment({
      LOG_LEVEL: 'error',
      MANAGEMENT_RATE_LIMIT: '1000000',
      ...database.variables,
      ...keys,
      ...variables,
    }),
    { ...(clock && { clock }), logger: new KeptLog() },
  );
  await app.listen(0, '127.0.0.1');
  const client = new Client(await app.getUrl());
  return {
    app,
    client,
    database,
    stop: async () => {
      client.close();
      await app.close();
      if (!keptDatabase) await database.drop();
    },
  };
}

/**
 * Starts the service on a database of its own before the tests of the file or block, and stops it after them.
 *
 * @returns the service, whose members are available once the first hook has run
 */
export function useService(variables: Record<string, string> = {}, clock?: Clock): TestService {
  let started: TestService | undefined;
  beforeAll(async () => {
    started = await startService(variables, undefined, clock);
  });
  afterAll(() => started?.stop());
  const running = () => {
    if (!started) throw new Error('the service has not started yet');
    return started;
  };
  return {
    get app() {
      return running().app;
    },
    get client() {
      return running().client;
    },
    get database() {
      return running().database;
    },
    stop: () => running().stop(),
  };
}
