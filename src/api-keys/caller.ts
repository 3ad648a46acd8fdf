import { OPERATOR, type Origin } from '../audit/origin.js';

/** An API key that changes keys are asked for with. What it may do is read anew where it is done. */
interface CallingKey {
  id: string;
  /** Of the secret that was presented: it may have been rotated away since. */
  secretGeneration: number;
}

/** Who asks for a change of an owner's keys. */
export interface Caller {
  ownerId: string;
  /** `null` for a session or an operator, which may do everything. */
  key: CallingKey | null;
  origin: Origin;
}

/** An operator, on behalf of an owner. */
export function operatorFor(ownerId: string): Caller {
  return { ownerId, key: null, origin: OPERATOR };
}
