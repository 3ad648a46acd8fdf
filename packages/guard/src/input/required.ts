import { isIPv4 } from 'node:net';
import { type AccessRequirements, formatAddress, parseForwardedAddress } from '../decision/index.js';
import type { Required } from '../types.js';

/** What is required of a key, validated. */
export interface Requirements extends AccessRequirements<string> {
  readonly cost: number;
}

const MEMBERS = new Set(['scope', 'ip', 'cost']);
const MAX_COST = 1_000_000;
/** A flat name; which ones exist, the service knows. */
const SCOPE_NAME = /^[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63}){0,3}$/;
/** Bounded, in case that a caller makes names up. */
const MAX_LISTS = 1_000;
/** The list of each scope alone, by its name: every name in it is well-formed. */
const lists = new Map<string, readonly string[]>();
const NO_SCOPES: readonly string[] = [];
const NOTHING: Requirements = { scopes: NO_SCOPES, ip: undefined, cost: 1 };

/** @throws TypeError for a scope, an address or a cost that is not one, and for anything else: it might be meant as one */
export function readRequired(required: Required | undefined): Requirements {
  if (required === undefined) return NOTHING;
  if (typeof required !== 'object' || required === null || Array.isArray(required))
    throw new TypeError('what is required must be an object with scope, ip and cost');
  for (const name in required) {
    if (!MEMBERS.has(name)) throw new TypeError(`${name} is not known; what is required has scope, ip and cost`);
  }
  const { scope, ip, cost = 1 } = required;
  if (!(Number.isInteger(cost) && cost >= 0 && cost <= MAX_COST))
    throw new TypeError(`cost must be a whole number from 0 to ${MAX_COST}`);
  return { scopes: readScopes(scope), ip: readAddress(ip), cost };
}

/**
 * The scopes that a route needs, validated when the route is made.
 *
 * @param scopes none (`[]`) for any valid key
 * @throws TypeError for a name that can't be a scope's
 */
export function readRouteScopes(scopes: unknown): readonly string[] {
  if (Array.isArray(scopes) && scopes.length === 0) return NO_SCOPES;
  if (scopes === undefined) throw new TypeError('the scopes are missing; [] is for any valid key');
  return readScopes(scopes as string);
}

function readScopes(scope: string | readonly string[] | undefined): readonly string[] {
  if (scope === undefined) return NO_SCOPES;
  if (!Array.isArray(scope)) return listOf(scope as string);
  if (scope.length === 0) throw new TypeError('scope must name at least one scope');
  for (const name of scope) listOf(name as string);
  return scope as readonly string[];
}

function listOf(name: string): readonly string[] {
  const known = lists.get(name);
  if (known) return known;
  if (typeof name !== 'string' || !SCOPE_NAME.test(name))
    throw new TypeError('scope must be the name of a scope, like pinning.unpin, or a list of such names');
  const list = Object.freeze([name]);
  if (lists.size < MAX_LISTS) lists.set(name, list);
  return list;
}

/** The address that was read last: most often it comes again, from the same connection or the same proxy. */
let lastIPv4: string | undefined;

/** Services may pass on an address from a proxy's header, so the same spellings are read as by the service. */
function readAddress(ip: string | undefined): string | undefined {
  if (ip === undefined || ip === lastIPv4) return ip;
  if (typeof ip === 'string' && isIPv4(ip)) return (lastIPv4 = ip);
  const address = typeof ip === 'string' ? parseForwardedAddress(ip) : undefined;
  if (!address) throw new TypeError('ip must be an IPv4 or IPv6 address');
  return formatAddress(address);
}
