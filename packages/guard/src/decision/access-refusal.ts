import type { Networks } from './networks.js';
import type { Refusal } from './refusals.js';

/** What decides whether a key with a verified secret may be used. Times are milliseconds since 1970. */
export interface AccessState<Scope extends string> {
  readonly isRevoked: boolean;
  readonly enabled: boolean;
  /** `null`: valid from the start. */
  readonly notBefore: number | null;
  /** `null`: never. */
  readonly expiresAt: number | null;
  /** Where it may be used from; `null` for anywhere. */
  readonly networks: Networks | null;
  readonly granted: {
    /** Whether all of the scopes are granted. */
    allows(scopes: readonly Scope[]): boolean;
  };
}

/** What is required of a key, apart from its charge. */
export interface AccessRequirements<Scope extends string> {
  /** All of them are required. */
  scopes: readonly Scope[];
  /** The client's IP address; `undefined` if unknown. */
  ip: string | undefined;
}

/** The reasons to refuse a key before it is charged. */
export type AccessRefusal = Exclude<Refusal, 'INVALID_CREDENTIALS' | 'RATE_LIMITED' | 'USAGE_EXCEEDED'>;

/**
 * Why a key with a verified secret is refused before it is charged; `null` if it is not. The checks run in the documented
 * order. The service and the guards inside other services decide by this function.
 *
 * @param now milliseconds since 1970
 */
export function accessRefusal<Scope extends string>(
  key: AccessState<Scope>,
  { scopes, ip }: AccessRequirements<Scope>,
  now: number,
): AccessRefusal | null {
  const { notBefore, expiresAt } = key;
  if (key.isRevoked) return 'REVOKED';
  if (!key.enabled) return 'DISABLED';
  if (notBefore !== null && now < notBefore) return 'NOT_YET_VALID';
  if (expiresAt !== null && now >= expiresAt) return 'EXPIRED';
  if (key.networks && !(ip !== undefined && key.networks.includes(ip))) return 'IP_NOT_ALLOWED';
  if (!key.granted.allows(scopes)) return 'INSUFFICIENT_SCOPE';
  return null;
}
