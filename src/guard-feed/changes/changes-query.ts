import { type ErrorDetail, ValidationError } from '../../http/errors/api-error.js';
import { queryParameters } from '../../http/validation/query-parameters.js';
import { unknownMember } from '../../suggestions/suggestions.js';

/** What a guard asks. */
export interface ChangesQuery {
  /** Its position; `undefined` to begin. */
  since: bigint | undefined;
  /** The epoch of that position, if it says so. */
  epoch: string | undefined;
  /** For how long the answer may wait for a change: 0 to 1,000. */
  waitMs: number;
}

const PARAMETERS = ['since', 'epoch', 'wait_ms'];
/** A transaction id: 64 bits. */
const POSITION = /^\d{1,19}$/;
const MAX_WAIT_MS = 1_000;

/** Reads the query of `GET /api/apiKeys/changes`. @throws ValidationError naming every problem */
export function readChangesQuery(url: string | undefined): ChangesQuery {
  const details: ErrorDetail[] = [];
  const given = new Map<string, string>();
  for (const [name, value] of queryParameters(url)) {
    if (!PARAMETERS.includes(name) && !given.has(name))
      details.push(unknownMember(name, PARAMETERS, { kind: 'parameter', rank: details.length }));
    else if (given.has(name)) details.push({ path: name, message: 'is given more than once' });
    given.set(name, value);
  }
  const { since, waitMs = '0' } = { since: given.get('since'), waitMs: given.get('wait_ms') };
  if (since !== undefined && !POSITION.test(since))
    details.push({ path: 'since', message: 'must be the position of an earlier answer' });
  if (!/^\d{1,4}$/.test(waitMs) || Number(waitMs) > MAX_WAIT_MS)
    details.push({ path: 'wait_ms', message: `must be a whole number from 0 to ${MAX_WAIT_MS}` });
  if (details.length > 0) throw new ValidationError(details);
  return { since: since === undefined ? undefined : BigInt(since), epoch: given.get('epoch'), waitMs: Number(waitMs) };
}
