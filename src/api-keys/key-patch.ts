import { isDeepStrictEqual } from 'node:util';
import { ValidationError } from '../http/errors/api-error.js';
import { isFuture } from '../http/validation/timestamp.js';
import type { KeyLimits } from '../principals/key-limits.js';
import { type ApiKey, limitColumns, type Metadata } from './api-key.entity.js';
import { LimitsDto } from './dto/limits.dto.js';
import type { GivenScopes } from '../principals/scopes.js';

/** The properties of a key to change; `null` clears a limit. */
export interface KeyPatch {
  name?: string;
  scopes?: GivenScopes;
  limits?: Partial<KeyLimits>;
  metadata?: Metadata;
  enabled?: boolean;
}

/** A key's limits after a patch, and the columns to write. */
export interface PatchedKey {
  limits: KeyLimits;
  columns: Partial<ApiKey>;
}

/** A patch without values that the key has already: sending back what was read changes nothing, and is not validated again. */
export function withoutUnchanged(key: ApiKey, { limits: given = {}, ...rest }: KeyPatch): KeyPatch {
  const limits = differing(given, key.limits);
  return { ...differing(rest, key), ...(Object.keys(limits).length > 0 && { limits }) };
}

/** The given values that differ from the key's own. */
function differing<T extends object>(given: T, own: T): Partial<T> {
  const names = (Object.keys(given) as (keyof T & string)[]).filter((name) => !isSame(given[name], own[name]));
  return Object.fromEntries(names.map((name) => [name, given[name]])) as Partial<T>;
}

/** The dates among the limits, with their paths. */
const DATES = { notBefore: 'limits.not_before', expiresAt: 'limits.expires_at' } as const;

/** @throws ValidationError naming each date that has passed: the key could never be used, or would have been unusable so far */
export function assertFuture(limits: Partial<KeyLimits> = {}): void {
  const past = (Object.keys(DATES) as (keyof typeof DATES)[]).filter((name) => limits[name] && !isFuture(limits[name]));
  if (past.length === 0) return;
  throw new ValidationError(past.map((name) => ({ path: DATES[name], message: 'must not be in the past' })));
}

/** @throws ValidationError if a given date has passed, or the limits leave no time to use the key */
export function applyPatch(key: ApiKey, { limits: given, ...rest }: KeyPatch): PatchedKey {
  if (!given) return { limits: key.limits, columns: rest };
  assertFuture(given);
  const limits = { ...key.limits, ...given };
  assertUsableWindow(limits, given);
  return { limits, columns: { ...rest, ...limitColumns(limits), ...cutOverlap(key, limits) } };
}

/** @throws ValidationError, at a limit that was given, if the limits leave no time to use the key */
export function assertUsableWindow({ notBefore, expiresAt }: Partial<KeyLimits>, given: Partial<KeyLimits>): void {
  if (!notBefore || !expiresAt || notBefore < expiresAt) return;
  const path = given.expiresAt ? 'limits.expires_at' : 'limits.not_before';
  const message = 'would leave no time to use the key: not_before must be before expires_at';
  throw new ValidationError([{ path, message }]);
}

/** An earlier expiry cuts the overlap, too: a later one, set afterwards, must not revive the previous secret. */
function cutOverlap({ previousSecretExpiresAt: end }: ApiKey, { expiresAt }: KeyLimits): Partial<ApiKey> {
  return end && expiresAt && expiresAt < end ? { previousSecretExpiresAt: expiresAt } : {};
}

/** The changes for the audit event: values before and after, except metadata, which is private to the owner. */
export function diff(key: ApiKey, { limits, columns }: PatchedKey): Record<string, unknown> {
  const { name, scopes, enabled, metadata } = key;
  const was = { name, scopes, enabled, metadata, limits: LimitsDto.of(key.limits) };
  const is = { ...was, ...columns, limits: LimitsDto.of(limits) };
  const changed = (Object.keys(was) as (keyof typeof was)[]).filter((what) => !isSame(was[what], is[what]));
  return Object.fromEntries(
    changed.map((what) => [what, what === 'metadata' ? 'changed' : { from: was[what], to: is[what] }]),
  );
}

/** Compares as JSON, ignoring the order of properties: `jsonb` does not preserve it. */
function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(asJson(one), asJson(other));
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
