import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';

/** What whoever runs the service needs of it. */
@Module({ controllers: [HealthController] })
export class OperationsModule {}
