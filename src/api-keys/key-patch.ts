import { isDeepStrictEqual } from 'node:util';
import { ValidationError } from '../http/errors/api-error.js';
import { isFuture } from '../http/validation/timestamp.js';
import type { KeyLimits } from '../principals/key-limits.js';
import { type ApiKey, limitColumns, type Metadata } from './api-key.entity.js';
import { LimitsDto } from './dto/limits.dto.js';
import type { GivenScopes } from '../principals/scopes.js';

/** What shall be changed of a key; `null` clears a limit. */
export interface KeyPatch {
  name?: string;
  scopes?: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
  enabled?: boolean;
}

/** What a key would be after an update, and the columns that say so. */
export interface PatchedKey {
  limits: KeyLimits;
  columns: Partial<ApiKey>;
}

/** An update without what the key has already: what is sent back as it was read changes nothing, and is not judged anew. */
export function withoutUnchanged(key: ApiKey, { limits: given = {}, ...rest }: KeyPatch): KeyPatch {
  const limits = differing(given, key.limits);
  return { ...differing(rest, key), ...(Object.keys(limits).length > 0 && { limits }) };
}

/** What is given that is another than what the key has. */
function differing<T extends object>(given: T, own: T): Partial<T> {
  const names = (Object.keys(given) as (keyof T & string)[]).filter((name) => !isSame(given[name], own[name]));
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Partial<T>;
}

/** The dates among the limits, and how they are called. */
const DATES = { notBefore: 'limits.not_before', expiresAt: 'limits.expires_at' } as const;

/** @throws ValidationError naming each date that has come already: the key could never be used, or was not until now */
export function assertFuture(limits: Partial<KeyLimits> = {}): void {
  const past = (Object.keys(DATES) as (keyof typeof DATES)[]).filter((name) => limits[name] && !isFuture(limits[name]));
  if (past.length === 0) return;
  throw new ValidationError(past.map((name) => ({ path: DATES[name], message: 'must not be in the past' })));
}

/** @throws ValidationError if limits that are given do not go with those that stay, or have come already */
export function applyPatch(key: ApiKey, { limits: given, ...rest }: KeyPatch): PatchedKey {
  if (!given) return { limits: key.limits, columns: rest };
  assertFuture(given);
  const limits = { ...key.limits, ...given };
  assertUsableWindow(limits, given);
  return { limits, columns: { ...rest, ...limitColumns(limits), ...cutOverlap(key, limits) } };
}

/** @throws ValidationError if, with what is given, the limits would leave no time to use the key */
export function assertUsableWindow({ notBefore, expiresAt }: Partial<KeyLimits>, given: Partial<KeyLimits>): void {
  if (!notBefore || !expiresAt || notBefore < expiresAt) return;
  const path = given.expiresAt ? 'limits.expires_at' : 'limits.not_before';
  const message = 'would leave no time to use the key: not_before must be before expires_at';
  throw new ValidationError([{ path, message }]);
}

/** A key that expires sooner ends its previous secret with it: expiring later again would revive that, too. */
function cutOverlap({ previousSecretExpiresAt: end }: ApiKey, { expiresAt }: KeyLimits): Partial<ApiKey> {
  return end && expiresAt && expiresAt < end ? { previousSecretExpiresAt: expiresAt } : {};
}

/** What the audit trail says of an update: what was, and what is. Metadata is the owner's own, and is only named. */
export function diff(key: ApiKey, { limits, columns }: PatchedKey): Record<string, unknown> {
  const { name, scopes, enabled, metadata } = key;
  const was = { name, scopes, enabled, metadata, limits: LimitsDto.of(key.limits) };
  const is = { ...was, ...columns, limits: LimitsDto.of(limits) };
  const changed = (Object.keys(was) as (keyof typeof was)[]).filter((what) => !isSame(was[what], is[what]));
  return Object.fromEntries(
    changed.map((what) => [what, what === 'metadata' ? 'changed' : { from: was[what], to: is[what] }]),
  );
}

/** As JSON, whatever the order of properties: `jsonb` keeps none. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(asJson(one), asJson(other));
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
