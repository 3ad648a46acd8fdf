import type { Grant } from './knowledge/grant.js';
import { UnexpectedAnswerError } from './service/wire.js';
import type { GuardVerdict, RateLimitState } from './types.js';

type Source = GuardVerdict['source'];
type Code = GuardVerdict['code'];

/** The verdict on a pair of which nothing is known but that it is wrong. */
export function invalidCredentials(source: Source): GuardVerdict {
  return { valid: false, code: 'INVALID_CREDENTIALS', source };
}

/** The verdict on a known key. */
export function verdictOn({ keyId, ownerId, name, granted, expiry }: Grant, code: Code, source: Source): GuardVerdict {
  const verdict: GuardVerdict = { valid: code === 'VALID', code, keyId, ownerId, name, scopes: granted.names, source };
  if (expiry !== null) verdict.expiresAt = expiry;
  return verdict;
}

interface WireVerdict {
  valid: boolean;
  code: Code;
  key_id?: string;
  owner_id?: string;
  name?: string;
  scopes?: Record<string, unknown>;
  remaining_uses?: number | null;
  rate_limit?: { limit: number; remaining: number; reset_seconds: number } | null;
  expires_at?: string | null;
}

/**
 * Reads the data of `POST /verify`.
 *
 * @throws UnexpectedAnswerError
 */
export function readVerdict(data: unknown): GuardVerdict {
  const wire = data as WireVerdict | null | undefined;
  if (typeof wire?.code !== 'string' || wire.valid !== (wire.code === 'VALID'))
    throw new UnexpectedAnswerError('The service answered with something else than a verdict');
  const { valid, code, key_id: keyId, owner_id: ownerId, name, scopes, expires_at: expiresAt } = wire;
  return {
    valid,
    code,
    ...(keyId !== undefined && { keyId }),
    ...(ownerId !== undefined && { ownerId }),
    ...(name !== undefined && { name }),
    ...(scopes && { scopes: flatNames(scopes) }),
    ...(typeof wire.remaining_uses === 'number' && { remainingUses: wire.remaining_uses }),
    ...(wire.rate_limit && { rateLimit: readRateLimit(wire.rate_limit) }),
    ...(typeof expiresAt === 'string' && { expiresAt }),
    source: 'remote',
  };
}

function readRateLimit(wire: NonNullable<WireVerdict['rate_limit']>): RateLimitState {
  return { limit: wire.limit, remaining: wire.remaining, resetSeconds: wire.reset_seconds };
}

/** The names of the flags that are true in the tree of scopes: `admin`, `data.pin_list`. */
function flatNames(tree: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    if (value === true) return [prefix + name];
    return typeof value === 'object' && value !== null
      ? flatNames(value as Record<string, unknown>, `${prefix}${name}.`)
      : [];
  });
}
