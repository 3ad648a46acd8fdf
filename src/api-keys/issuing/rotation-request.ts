import type { SameRequest } from '../../idempotency/idempotent-answers.js';
import type { RotateApiKeyDto } from '../dto/rotate.dto.js';

/** Two rotations are the same request if they are of the same key, with the same overlap. */
export function rotationRequest(id: string, { overlap_seconds: overlap = 0 }: RotateApiKeyDto): SameRequest {
  return { call: ['rotate', id], body: { overlap } };
}
