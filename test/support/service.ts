import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from '../../src/app.setup.js';
import { loadEnvironment } from '../../src/config/environment.js';
import { Client } from './client.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { accountService } from './sessions.js';

/** The whole service in this process, on a database of its own, and a client that talks HTTP to it. */
export interface TestService {
  app: NestFastifyApplication;
  client: Client;
  database: TestDatabase;
  stop(): Promise<void>;
}

export async function startService(variables: Record<string, string> = {}): Promise<TestService> {
  const database = await createTestDatabase();
  const keys = variables['JWT_JWKS_URL'] ? {} : { JWT_PUBLIC_KEY: accountService.publicKey };
  const app = await createApp(loadEnvironment({ LOG_LEVEL: 'error', ...database.variables, ...keys, ...variables }));
  await app.listen(0, '127.0.0.1');
  const client = new Client(await app.getUrl());
  return {
    app,
    client,
    database,
    stop: async () => {
      client.close();
      await app.close();
      await database.drop();
    },
  };
}
