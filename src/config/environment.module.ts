import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock } from '../clock.js';
import { ENVIRONMENT, type Environment } from './environment.js';

/** Provides the validated configuration (`ENVIRONMENT`) and the `Clock`. */
@Global()
@Module({})
export class EnvironmentModule {
  static forRoot(environment: Environment, clock: Clock): DynamicModule {
    return {
      module: EnvironmentModule,
      providers: [
        { provide: ENVIRONMENT, useValue: environment },
        { provide: Clock, useValue: clock },
      ],
      exports: [ENVIRONMENT, Clock],
    };
  }
}
