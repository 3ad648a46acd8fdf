import { ApiKey } from './api-keys/api-key.entity.js';
import { Cascade } from './api-keys/cascades/cascade.entity.js';
import { KeyInvalidation } from './api-keys/invalidation/key-invalidation.entity.js';
import { Owner } from './owners/owner.entity.js';
import { AuditEvent } from './audit/audit-event.entity.js';
import { IdempotentAnswer } from './idempotency/idempotent-answer.entity.js';
import { UsageDay } from './usage/usage-day.entity.js';

/** The entity of every table of the service. */
export const ENTITIES = [ApiKey, KeyInvalidation, Owner, AuditEvent, UsageDay, IdempotentAnswer, Cascade];
