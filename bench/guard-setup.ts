import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { type BenchDatabase, withDatabase } from './database.js';
import type { Measured } from './process.js';
import { SERVICE_TOKEN, startService } from './service.js';
import { storeKeys } from './stored-keys.js';

/** The scope that is checked; every stored key has it. */
export const SCOPE = 'pinning.unpin';

/** What a program of `processes/` needs to create a guard. */
export interface GuardSetup {
  url: string;
  token: string;
}

/** A running service, and the pairs of keys that it accepts. */
export interface ServiceWithKeys {
  service: Measured;
  setup: GuardSetup;
  pairs: KeyPair[];
  database: BenchDatabase;
}

/** Starts a service with so many keys, and stops it at the end. */
export function withKeys(count: number, use: (started: ServiceWithKeys) => Promise<void>): Promise<void> {
  return withDatabase(async (database) => {
    const service = await startService(database);
    try {
      const setup = { url: service.url, token: SERVICE_TOKEN };
      await use({ service, setup, pairs: await storeKeys(database, count), database });
    } finally {
      await service.stop();
    }
  });
}

/** @throws Error if there is none */
export function firstOf(pairs: readonly KeyPair[]): KeyPair {
  const [pair] = pairs;
  if (!pair) throw new Error('no key was stored');
  return pair;
}
