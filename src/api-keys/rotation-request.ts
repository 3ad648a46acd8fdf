import type { SameRequest } from '../idempotency/idempotent-answers.js';
import type { RotatedApiKeyDto } from './dto/api-key.dto.js';
import type { Tagged } from './etag.js';
import type { RotateApiKeyDto } from './dto/rotate.dto.js';

/** What a rotation is answered with. */
export type RotationAnswer = Tagged<{ data: RotatedApiKeyDto }>;

/** What makes two rotations the same request: the key, and for how long its old secret is to work. */
export function rotationRequest(id: string, { overlap_seconds: overlap = 0 }: RotateApiKeyDto): SameRequest {
  return { call: ['rotate', id], body: { overlap } };
}
