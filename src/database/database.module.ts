import { type DynamicModule, Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from './database.js';
import { OwnerReads } from './owner-reads.js';

/** Hands out the open database, and closes it when everything that uses it has stopped. */
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
        OwnerReads,
      ],
      exports: [DataSource, OwnerReads],
    };
  }

  onApplicationShutdown(): Promise<void> {
    return this.database.close();
  }
}
