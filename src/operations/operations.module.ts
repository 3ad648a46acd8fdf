import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { Housekeeping } from './housekeeping.js';

/** What whoever runs the service needs of it. */
@Module({ controllers: [HealthController], providers: [Housekeeping] })
export class OperationsModule {}
