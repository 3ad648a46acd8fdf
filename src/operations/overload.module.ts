import { Module } from '@nestjs/common';
import { LimitsModule } from '../limits/limits.module.js';
import { Overload } from './overload.js';

/** How many requests may be under way, and whose. */
@Module({
  imports: [LimitsModule],
  providers: [Overload],
  exports: [Overload],
})
export class OverloadModule {}
