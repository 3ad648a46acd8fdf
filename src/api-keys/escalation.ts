import type { ErrorDetail } from '../contract/api-error.js';
import { Networks, parseNetwork } from '../limits/cidr.js';
import type { KeyLimits } from '../limits/key-limits.js';
import type { RateLimit } from '../limits/sliding-window.js';
import { ExceedsIssuerError } from './errors.js';

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

/**
 * The limits of a key that another key issues or changes: no wider than the issuer's own, and inherited where
 * they are left out.
 *
 * @throws ExceedsIssuerError naming each that is wider
 */
export function withinIssuer(given: Partial<KeyLimits>, issuer: KeyLimits): Partial<KeyLimits> {
  const details: ErrorDetail[] = [];
  for (const [limit, [path, isWithin]] of Object.entries(WITHIN) as [keyof Inherited, [string, Within<unknown>]][]) {
    const [wanted, own] = [given[limit], issuer[limit]];
    if (own === null || wanted === undefined) continue;
    if (wanted === null || !isWithin(wanted, own)) details.push({ path, message: MESSAGE });
  }
  if (neverBegins(given, issuer)) details.push({ path: 'limits.not_before', message: BEFORE_EXPIRY });
  if (details.length > 0) throw new ExceedsIssuerError(details);
  const { notBefore, expiresAt, rateLimit, allowedCidrs } = issuer;
  return { notBefore, expiresAt, rateLimit, allowedCidrs, ...given };
}

const MESSAGE = 'must stay within that of the key that you are calling with';
const BEFORE_EXPIRY = 'must be before the expiry of the key that you are calling with';

/** Whether the key would have expired, as the issuer does, before it is valid. */
function neverBegins({ notBefore, expiresAt }: Partial<KeyLimits>, issuer: KeyLimits): boolean {
  return expiresAt === undefined && Boolean(notBefore && issuer.expiresAt && notBefore >= issuer.expiresAt);
}

/** Neither more requests, nor more per second. */
function isRateWithin(given: RateLimit, own: RateLimit): boolean {
  const isNoFaster = given.requests * own.windowSeconds <= own.requests * given.windowSeconds;
  return given.requests <= own.requests && isNoFaster;
}

function networks(cidrs: string[]): Networks {
  return new Networks(cidrs.map(parseNetwork));
}
