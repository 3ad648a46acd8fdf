import { OPERATOR, type Origin } from '../audit/origin.js';
import type { ApiKey } from './api-key.entity.js';

/** Of an API key, what its calls go by. It may be from a cache: what is written needs the row itself, under its lock. */
export type CallingKey = Pick<
  ApiKey,
  'id' | 'ownerId' | 'name' | 'scopes' | 'limits' | 'maxUses' | 'rateLimit' | 'uses'
>;

/** Who asks for a change of an owner's keys. */
export interface Caller {
  ownerId: string;
  /** The API key that it calls with; `null` for a session or an operator, which may do everything. */
  apiKey: CallingKey | null;
  origin: Origin;
}

/** An operator, on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, apiKey: null, origin: OPERATOR };
}
