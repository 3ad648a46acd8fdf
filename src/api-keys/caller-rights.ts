import { refusalError } from '../principals/refusal-errors.js';
import { Networks, parseNetwork } from '../addresses/networks.js';
import type { Refusal } from '../http/errors/refusals.js';
import type { ApiKey } from './api-key.entity.js';
import type { Caller } from '../principals/caller.js';
import { allows } from '../principals/scopes.js';

/**
 * That a key which passed at the door may still change keys now, by its row as it is under the lock: what happened to
 * it while its call was under way counts. In the order, and with the errors, of the door.
 *
 * @param row `null` if the key is gone
 * @throws ApiError
 */
export function assertMayManage(row: ApiKey | null, caller: Caller, now: number): asserts row is ApiKey {
  const refusal = row ? refusalOfCaller(row, caller, now) : 'REVOKED';
  if (refusal) throw refusalError(refusal, { missing: ['admin'] });
}

function refusalOfCaller(row: ApiKey, { key, origin }: Caller, now: number): Refusal | null {
  const { revokedAt, enabled, notBefore, expiresAt, allowedCidrs, scopes } = row;
  if (!isSecretGood(row, key?.secretGeneration, now)) return 'INVALID_CREDENTIALS';
  if (revokedAt) return 'REVOKED';
  if (!enabled) return 'DISABLED';
  if (notBefore && now < notBefore.getTime()) return 'NOT_YET_VALID';
  if (expiresAt && now >= expiresAt.getTime()) return 'EXPIRED';
  if (allowedCidrs && !isWithin(origin.ip, allowedCidrs)) return 'IP_NOT_ALLOWED';
  return allows(scopes, 'admin') ? null : 'INSUFFICIENT_SCOPE';
}

/** Whether it is the key's own secret, or the one before it during the overlap. */
function isSecretGood(row: ApiKey, generation: number | undefined, now: number): boolean {
  if (generation === row.secretGeneration) return true;
  const { previousSecretHash, previousSecretExpiresAt: end } = row;
  const isPrevious = generation === row.secretGeneration - 1 && previousSecretHash !== null;
  return isPrevious && end !== null && now < end.getTime();
}

function isWithin(ip: string | null, cidrs: string[]): boolean {
  return ip !== null && new Networks(cidrs.map(parseNetwork)).includes(ip);
}
