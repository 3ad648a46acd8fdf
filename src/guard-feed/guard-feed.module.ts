import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { HttpModule } from '../http/http.module.js';
import { VerificationModule } from '../verification/verification.module.js';
import { ChangesController } from './changes/changes.controller.js';
import { ChangesFastPath } from './changes/changes.fast-path.js';
import { GuardChanges } from './changes/guard-changes.js';
import { OlderChanges } from './changes/older-changes.js';
import { GuardSightings } from './guard-sightings.js';

/** Tells guards, which decide on keys inside other services, what has changed, and takes their reports. */
@Module({
  imports: [HttpModule, ApiKeysModule, VerificationModule],
  controllers: [ChangesController],
  providers: [GuardChanges, ChangesFastPath, OlderChanges, GuardSightings],
  exports: [GuardChanges, GuardSightings],
})
export class GuardFeedModule {}
