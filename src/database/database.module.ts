import { type DynamicModule, Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from './database.js';

/** The injection token of the pool (a `DataSource`) for verification; `DataSource` itself is the pool for everything else. */
export const VERIFICATION_POOL = Symbol('VerificationPool');

/** Provides the open database, and closes it after everything that uses it has stopped. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly database: Database) {}

  static forRoot(database: Database): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: Database, useValue: database },
        { provide: DataSource, useValue: database.dataSource },
        { provide: VERIFICATION_POOL, useValue: database.verificationPool },
      ],
      exports: [Database, DataSource, VERIFICATION_POOL],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.database.close();
  }
}
