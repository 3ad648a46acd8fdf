import type { ErrorDetail } from '../http/errors/api-error.js';
import { Networks, parseNetwork } from '@w3ipfs/api-keys-guard/decision';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import type { ApiKey } from './api-key.entity.js';
import { ExceedsIssuerError } from './errors.js';
import type { KeyPatch } from './key-patch.js';

/** The limits that an issued key inherits; `maxUses` is not inherited. */
type Inherited = Omit<KeyLimits, 'maxUses'>;

/** For each limit: its path, and whether a given value stays within the issuing key's own. */
const WITHIN: { [L in keyof Inherited]: [path: string, isWithin: Within<NonNullable<Inherited[L]>>] } = {
  notBefore: ['limits.not_before', (given, own) => given >= own],
  expiresAt: ['limits.expires_at', (given, own) => given <= own],
  rateLimit: ['limits.rate_limit', isRateWithin],
  allowedCidrs: ['limits.allowed_cidrs', (given, own) => Networks.within(networks(given), networks(own))],
};

type Within<T> = (given: T, own: T) => boolean;

/** The limits of a key that another key issues: those left out are inherited. */
export function inherit(given: Partial<KeyLimits>, issuer: KeyLimits): Partial<KeyLimits> {
  const { maxUses: _own, ...inherited } = issuer;
  return { ...inherited, ...given };
}

/**
 * Checks that limits are no wider than those of the key that sets them.
 *
 * @throws ExceedsIssuerError naming each that is wider
 */
export function assertWithin(given: Partial<KeyLimits>, issuer: KeyLimits): void {
  const details: ErrorDetail[] = [];
  for (const [limit, [path, isWithin]] of Object.entries(WITHIN) as [keyof Inherited, [string, Within<unknown>]][]) {
    const [wanted, own] = [given[limit], issuer[limit]];
    if (own === null || wanted === undefined) continue;
    if (wanted === null || !isWithin(wanted, own)) details.push({ path, message: MESSAGE });
  }
  if (neverBegins(given, issuer)) details.push({ path: 'limits.not_before', message: BEFORE_EXPIRY });
  if (details.length > 0) throw new ExceedsIssuerError(details);
}

const MESSAGE = 'must stay within the limit of the key that you are calling with';
const BEFORE_EXPIRY = 'must be before the expiry of the key that you are calling with';

/** Whether the key would inherit an expiry that comes before its `not_before`. */
function neverBegins({ notBefore, expiresAt }: Partial<KeyLimits>, issuer: KeyLimits): boolean {
  return expiresAt === undefined && Boolean(notBefore && issuer.expiresAt && notBefore >= issuer.expiresAt);
}

/**
 * Checks that a key which changes another grants no more than it has. No limit that it sets is wider than its own; and if
 * the update lets the other key do more than before, none of that key's limits are. Otherwise a weaker key could revive a
 * stronger one that is exhausted, expired or disabled.
 *
 * @throws ExceedsIssuerError naming each limit of the other key that would be wider
 */
export function assertMayGrant(update: KeyPatch, before: KeyLimits, after: KeyLimits, caller: KeyLimits): void {
  const grants = update.scopes !== undefined || update.enabled === true || isWidened(before, after);
  assertWithin(grants ? after : (update.limits ?? {}), caller);
}

/** Whether any limit allows more than it did. */
function isWidened(before: KeyLimits, after: KeyLimits): boolean {
  if (before.maxUses !== null && (after.maxUses === null || after.maxUses > before.maxUses)) return true;
  return (Object.entries(WITHIN) as [keyof Inherited, [string, Within<unknown>]][]).some(([limit, [, isWithin]]) => {
    const [was, is] = [before[limit], after[limit]];
    return was !== null && (is === null || !isWithin(is, was));
  });
}

/** Properties that a key must not change in itself, since it could extend its own rights. */
const OWN_RIGHTS = ['scopes', 'limits', 'enabled'] as const;

/** @throws ExceedsIssuerError if a key would change its own scopes, limits or `enabled` */
export function assertNotOwnRights(changes: object): void {
  const details = OWN_RIGHTS.filter((name) => name in changes).map((path) => ({
    path,
    message: 'cannot be changed by the key itself',
  }));
  if (details.length > 0) throw new ExceedsIssuerError(details);
}

/**
 * Checks that a key which is given the secret of another key could have issued it.
 *
 * @throws ExceedsIssuerError naming each limit of the other key that is wider
 */
export function assertNotStronger({ limits }: Pick<ApiKey, 'limits'>, caller: Pick<ApiKey, 'limits'>): void {
  assertWithin(limits, caller.limits);
}

/** Whether a rate allows neither more requests nor more per second than another. */
function isRateWithin(given: RateLimit, own: RateLimit): boolean {
  const isNoFaster = given.requests * own.windowSeconds <= own.requests * given.windowSeconds;
  return given.requests <= own.requests && isNoFaster;
}

function networks(cidrs: string[]): Networks {
  return new Networks(cidrs.map(parseNetwork));
}
