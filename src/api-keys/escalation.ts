import type { ErrorDetail } from '../http/errors/api-error.js';
import { Networks, parseNetwork } from '../addresses/networks.js';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import type { ApiKey } from './api-key.entity.js';
import { ExceedsIssuerError } from './errors.js';
import type { KeyPatch } from './key-patch.js';

/** The limits that a key hands down; its count of uses is its own. */
type Inherited = Omit<KeyLimits, 'maxUses'>;

/** For each limit: its path, and whether what is given stays within what the issuing key has itself. */
const WITHIN: { [L in keyof Inherited]: [path: string, isWithin: Within<NonNullable<Inherited[L]>>] } = {
  notBefore: ['limits.not_before', (given, own) => given >= own],
  expiresAt: ['limits.expires_at', (given, own) => given <= own],
  rateLimit: ['limits.rate_limit', isRateWithin],
  allowedCidrs: ['limits.allowed_cidrs', (given, own) => Networks.within(networks(given), networks(own))],
};

type Within<T> = (given: T, own: T) => boolean;

/** The limits of a key that another key issues: what is left out is inherited. */
export function inherit(given: Partial<KeyLimits>, issuer: KeyLimits): Partial<KeyLimits> {
  const { maxUses: _own, ...inherited } = issuer;
  return { ...inherited, ...given };
}

/**
 * That limits are no wider than those of the key which gives them.
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

const MESSAGE = 'must stay within that of the key that you are calling with';
const BEFORE_EXPIRY = 'must be before the expiry of the key that you are calling with';

/** Whether the key would have expired, as the issuer does, before it is valid. */
function neverBegins({ notBefore, expiresAt }: Partial<KeyLimits>, issuer: KeyLimits): boolean {
  return expiresAt === undefined && Boolean(notBefore && issuer.expiresAt && notBefore >= issuer.expiresAt);
}

/**
 * That a key which changes another gives no more than it has itself: neither a limit that is wider than its own, nor,
 * by whatever lets the other do more than before, what that becomes. Else one that is weaker would revive a stronger
 * key that is spent, expired or disabled.
 *
 * @throws ExceedsIssuerError naming each limit of the other key that would be wider
 */
export function assertMayGrant(update: KeyPatch, before: KeyLimits, after: KeyLimits, caller: KeyLimits): void {
  const gives = update.scopes !== undefined || update.enabled === true || isWidened(before, after);
  assertWithin(gives ? after : (update.limits ?? {}), caller);
}

/** Whether any limit allows more than it did. */
function isWidened(before: KeyLimits, after: KeyLimits): boolean {
  if (before.maxUses !== null && (after.maxUses === null || after.maxUses > before.maxUses)) return true;
  return (Object.entries(WITHIN) as [keyof Inherited, [string, Within<unknown>]][]).some(([limit, [, isWithin]]) => {
    const [was, is] = [before[limit], after[limit]];
    return was !== null && (is === null || !isWithin(is, was));
  });
}

/** What a key must leave alone in itself: it could give itself more than it was given. */
const NOT_ITS_OWN = ['scopes', 'limits', 'enabled'] as const;

/** @throws ExceedsIssuerError if a key would change its own scopes, limits or `enabled` */
export function assertNotOwnRights(changes: object): void {
  const details = NOT_ITS_OWN.filter((name) => name in changes).map((path) => ({
    path,
    message: 'cannot be changed by the key itself',
  }));
  if (details.length > 0) throw new ExceedsIssuerError(details);
}

/**
 * That a key which gets to hold another one's secret could have issued it.
 *
 * @throws ExceedsIssuerError naming each limit of the other key that is wider
 */
export function assertNotStronger({ limits }: Pick<ApiKey, 'limits'>, caller: Pick<ApiKey, 'limits'>): void {
  assertWithin(limits, caller.limits);
}

/** Neither more requests, nor more per second. */
function isRateWithin(given: RateLimit, own: RateLimit): boolean {
  const isNoFaster = given.requests * own.windowSeconds <= own.requests * given.windowSeconds;
  return given.requests <= own.requests && isNoFaster;
}

function networks(cidrs: string[]): Networks {
  return new Networks(cidrs.map(parseNetwork));
}
