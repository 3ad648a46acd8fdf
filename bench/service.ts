import { randomBytes } from 'node:crypto';
import type { Environment } from '../src/config/environment.js';
import { loadEnvironment } from '../src/configuration.js';
import type { HashCost } from '../src/config/environment.js';
import { accountService } from '../test/support/sessions.js';
import type { BenchDatabase } from './database.js';
import { type Measured, startMeasured } from './process.js';

export const SERVICE_TOKEN = 'the-token-of-a-service-in-a-benchmark';

const secrets = {
  CREDENTIAL_KEYS: randomBytes(32).toString('base64'),
  JWT_PUBLIC_KEY: accountService.publicKey,
  SERVICE_TOKENS: `bench:${SERVICE_TOKEN}`,
};

/** The configuration of a service on a database, with defaults for everything else. */
export function variablesOf(database: BenchDatabase): Record<string, string> {
  return { ...secrets, ...database };
}

export function environmentOf(database: BenchDatabase): Environment {
  return loadEnvironment(variablesOf(database));
}

export function defaultHashCost(): HashCost {
  return loadEnvironment(secrets).hashCost;
}

/** The built service, as a child process. */
export function startService(database: BenchDatabase, more: Record<string, string> = {}): Promise<Measured> {
  return startMeasured(['dist/main.js'], { ...variablesOf(database), ...more });
}
