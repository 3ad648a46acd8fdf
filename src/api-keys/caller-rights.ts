import { refusalError } from '../principals/refusal-errors.js';
import { Networks, parseNetwork, type Refusal } from '@w3ipfs/api-keys-guard/decision';
import type { ApiKey } from './api-key.entity.js';
import type { KeyStatus } from './key-status.js';
import type { Caller } from '../principals/caller.js';
import { allows } from '../principals/scopes.js';

/** The refusal of a key of each status; `exhausted` is none, since the use was charged when the call was let in. */
const REFUSAL_BY_STATUS: Record<KeyStatus, Refusal | null> = {
  revoked: 'REVOKED',
  disabled: 'DISABLED',
  pending: 'NOT_YET_VALID',
  expired: 'EXPIRED',
  exhausted: null,
  active: null,
};

/**
 * Checks again, by its locked row, that a key which was authenticated may change keys: it may have been changed while
 * its call was in flight. The order and the errors are those of authentication.
 *
 * @param row `null` if the key was purged
 * @throws ApiError
 */
export function assertMayManage(row: ApiKey | null, caller: Caller, now: number): asserts row is ApiKey {
  const refusal = row ? refusalOfCaller(row, caller, now) : 'REVOKED';
  if (refusal) throw refusalError(refusal, { missing: ['admin'] });
}

function refusalOfCaller(row: ApiKey, { key, source }: Caller, now: number): Refusal | null {
  const { allowedCidrs, scopes } = row;
  if (!isSecretValid(row, key?.secretGeneration, now)) return 'INVALID_CREDENTIALS';
  const refusal = REFUSAL_BY_STATUS[row.statusAt(now)];
  if (refusal) return refusal;
  if (allowedCidrs && !isWithin(source.ip, allowedCidrs)) return 'IP_NOT_ALLOWED';
  return allows(scopes, 'admin') ? null : 'INSUFFICIENT_SCOPE';
}

/** Whether it is the current secret, or the previous one during the overlap. */
function isSecretValid(row: ApiKey, generation: number | undefined, now: number): boolean {
  if (generation === row.secretGeneration) return true;
  const { previousSecretHash, previousSecretExpiresAt: end } = row;
  const isPrevious = generation === row.secretGeneration - 1 && previousSecretHash !== null;
  return isPrevious && end !== null && now < end.getTime();
}

function isWithin(ip: string | null, cidrs: string[]): boolean {
  return ip !== null && new Networks(cidrs.map(parseNetwork)).includes(ip);
}
