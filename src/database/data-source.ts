import pg from 'pg';
import { DataSource } from 'typeorm';
import { ApiKey } from '../api-keys/api-key.entity.js';
import { Cascade } from '../api-keys/cascade.entity.js';
import { KeyChange } from '../api-keys/key-change.entity.js';
import { Owner } from '../audit/owner.entity.js';
import { AuditEvent } from '../audit/audit-event.entity.js';
import { IdempotentAnswer } from '../idempotency/idempotent-answer.entity.js';
import { UsageDay } from '../usage/usage-day.entity.js';
import { AddCascades1764420000000 } from './migrations/1764420000000-add-cascades.js';
import { AddKeyLife1764300000000 } from './migrations/1764300000000-add-key-life.js';
import type { DatabaseLocation } from '../config/environment.js';
import { CreateApiKeys1764000000000 } from './migrations/1764000000000-create-api-keys.js';
import { AddKeyLimits1764200000000 } from './migrations/1764200000000-add-key-limits.js';
import { CreateKeyChanges1764100000000 } from './migrations/1764100000000-create-key-changes.js';

/**
 * The one definition of the database: what the service, the tests and TypeORM's own commands use.
 *
 * @param queryTimeoutMs how long a query may take; 0 for as long as it likes. The server ends it a little earlier: of
 *   what is given up here alone, nobody could tell whether it is done after all, and the server's side of it would stay
 */
export function createDataSource(location: DatabaseLocation, { queryTimeoutMs = 0 } = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    ...('url' in location ? { url: location.url } : embedded(location.dataDir)),
    entities: [ApiKey, KeyChange, Owner, AuditEvent, UsageDay, IdempotentAnswer, Cascade],
    migrations: [
      CreateApiKeys1764000000000,
      CreateKeyChanges1764100000000,
      AddKeyLimits1764200000000,
      AddKeyLife1764300000000,
      AddCascades1764420000000,
    ],
    migrationsTransactionMode: 'each',
    installExtensions: false,
    applicationName: 'w3ipfs-api-keys',
    poolSize: 10,
    connectTimeoutMS: 3_000,
    extra: {
      Client: CarefulClient,
      query_timeout: queryTimeoutMs,
      statement_timeout: queryTimeoutMs * 0.9,
      keepAlive: true,
    },
  });
}

function embedded(dataDir: string) {
  return { host: dataDir, port: 5432, username: 'postgres', database: 'postgres' };
}

/**
 * A connection that the server ends at the very moment it is opened emits an error before the pool
 * listens for it, and an error without a listener ends the process. The pool learns of it all the same.
 *
 * And one on which a query has not been answered in time is ended. The driver would keep it, and drop the
 * ROLLBACK that waits behind the query: whoever gets it from the pool next would be in another's transaction.
 */
class CarefulClient extends pg.Client {
  constructor(options: pg.ClientConfig) {
    super(options);
    this.on('error', () => undefined);
    const query = this.query.bind(this) as (...call: unknown[]) => unknown;
    this.query = ((...call: unknown[]) => {
      const answer = query(...call);
      if (answer instanceof Promise) answer.catch((error: Error) => this.endUnanswered(error));
      return answer;
    }) as pg.Client['query'];
  }

  private endUnanswered({ message }: Error): void {
    if (message === 'Query read timeout') this.connection.stream.destroy();
  }
}
