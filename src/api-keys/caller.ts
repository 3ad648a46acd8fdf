import { OPERATOR, type Origin } from '../audit/origin.js';
import type { ApiKey } from './api-key.entity.js';

/** Who asks for a change of an owner's keys. */
export interface Caller {
  ownerId: string;
  /** The API key that it calls with; `null` for a session or an operator, which may do everything. */
  apiKey: ApiKey | null;
  origin: Origin;
}

/** An operator, on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, apiKey: null, origin: OPERATOR };
}
