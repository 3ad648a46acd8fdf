import { Module } from '@nestjs/common';
import { LimitsModule } from '../../limits/limits.module.js';
import { ConnectionShares } from './connection-limit.js';
import { Overload } from './load-shedding.js';

/** How many connections may be open, how many requests under way, and whose. */
@Module({
  imports: [LimitsModule],
  providers: [ConnectionShares, Overload],
  exports: [Overload],
})
export class OverloadModule {}
