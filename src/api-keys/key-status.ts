import type { KeyLimits } from '../principals/key-limits.js';

export const KEY_STATUSES = ['active', 'disabled', 'pending', 'expired', 'exhausted', 'revoked'] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

/** The properties of a key that its status follows from. */
export interface KeyState extends Pick<KeyLimits, 'notBefore' | 'expiresAt' | 'maxUses'> {
  revokedAt: Date | null;
  enabled: boolean;
  uses: number;
}

interface StatusRule {
  status: Exclude<KeyStatus, 'active'>;
  applies: (key: KeyState, now: number) => boolean;
  /** The same of a row `key`, at the time `:now`; never NULL. */
  sql: string;
}

/** The first rule that applies decides; a key to which none applies is active. */
const RULES: readonly StatusRule[] = [
  { status: 'revoked', applies: ({ revokedAt }) => revokedAt !== null, sql: 'key.revoked_at IS NOT NULL' },
  { status: 'disabled', applies: ({ enabled }) => !enabled, sql: 'NOT key.enabled' },
  {
    status: 'pending',
    applies: ({ notBefore }, now) => notBefore !== null && now < notBefore.getTime(),
    sql: '(key.not_before IS NOT NULL AND key.not_before > :now)',
  },
  {
    status: 'expired',
    applies: ({ expiresAt }, now) => expiresAt !== null && now >= expiresAt.getTime(),
    sql: '(key.expires_at IS NOT NULL AND key.expires_at <= :now)',
  },
  {
    status: 'exhausted',
    applies: ({ maxUses, uses }) => maxUses !== null && uses >= maxUses,
    sql: '(key.max_uses IS NOT NULL AND key.uses >= key.max_uses)',
  },
];

/** @param now milliseconds since 1970 */
export function statusOf(key: KeyState, now: number): KeyStatus {
  return RULES.find(({ applies }) => applies(key, now))?.status ?? 'active';
}

/** The condition that `statusOf()` yields a status, in SQL, of a row `key` at the time `:now`. */
export function statusInSql(status: KeyStatus): string {
  const index = RULES.findIndex((rule) => rule.status === status);
  const earlier = index < 0 ? RULES : RULES.slice(0, index);
  const own = RULES[index]?.sql ?? [];
  return [...earlier.map(({ sql }) => `NOT (${sql})`), own].flat().join(' AND ');
}
