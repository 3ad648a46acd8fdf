import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { UsageController } from '../api-keys/usage.controller.js';
import { UsageStatistics } from './usage-statistics.js';

/** How often keys were used, and refused. */
@Module({
  imports: [ApiKeysModule],
  controllers: [UsageController],
  providers: [UsageStatistics],
  exports: [UsageStatistics],
})
export class UsageModule {}
