import type { ChangesAnswer } from '../knowledge/questions.js';
import type { GrantTerms } from '../knowledge/grant.js';

/** The service answered with something that this guard does not understand. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** The bounds that a service can have; see its `REVOCATION_BOUND_MS`. */
const MAX_BOUND_MS = 3_600_000;

/** Why a service may not grant a key; later ones count as `other`. */
const REASONS = new Set(['max_uses', 'rate_limit', 'quota', 'owner', 'pending', 'unconfirmed']);

interface WireChange {
  h: string;
  at: string | null;
}

interface WireChanges {
  epoch: string;
  position: string;
  age_ms: number;
  held_ms: number;
  bound_ms: number;
  changed: unknown[];
}

interface WireGrant {
  cacheable: boolean;
  because: string;
  position: string;
  epoch: string;
  key_id: string;
  owner_id: string;
  name: string;
  scopes: string[];
  allowed_cidrs: string[] | null;
  expires_in_ms: number | null;
  expires_at: string | null;
  which: 'current' | 'previous';
  overlap_ends_in_ms: number | null;
  forget_on?: string[];
}

/**
 * Reads the data of `GET /changes`.
 *
 * @throws UnexpectedAnswerError
 */
export function readChanges(data: unknown): ChangesAnswer {
  const { epoch, position, age_ms: ageMs, held_ms: heldMs, bound_ms: boundMs, changed } = members(data) as WireChanges;
  if (typeof epoch !== 'string' || !isDuration(ageMs) || !isDuration(heldMs) || !Array.isArray(changed))
    throw new UnexpectedAnswerError('The service answered with something else than changes');
  if (!(boundMs > 0 && boundMs <= MAX_BOUND_MS)) throw new UnexpectedAnswerError('bound_ms is not a bound');
  return {
    epoch,
    position: readPosition(position),
    ageMs,
    heldMs,
    boundMs,
    changed: changed.map((change) => readChange(members(change) as WireChange)),
  };
}

function readChange({ h, at }: WireChange): ChangesAnswer['changed'][number] {
  if (typeof h !== 'string') throw new UnexpectedAnswerError('The service answered with a change of no key');
  return { keyHash: h, at: at === null ? null : readPosition(at) };
}

/**
 * Reads the grant of a verdict.
 *
 * @returns why the verdict must not be kept, if it must not
 * @throws UnexpectedAnswerError
 */
export function readGrant(grant: unknown): GrantTerms | string {
  const wire = members(grant) as WireGrant;
  if (!wire.cacheable) return REASONS.has(wire.because) ? wire.because : 'other';
  const { scopes, allowed_cidrs: cidrs, expires_in_ms: expires, overlap_ends_in_ms: overlapEnds } = wire;
  const isKnown =
    typeof wire.epoch === 'string' &&
    typeof wire.key_id === 'string' &&
    typeof wire.owner_id === 'string' &&
    typeof wire.name === 'string' &&
    (wire.expires_at === null || typeof wire.expires_at === 'string') &&
    (wire.which === 'current' || wire.which === 'previous') &&
    isTexts(scopes) &&
    (cidrs === null || isTexts(cidrs)) &&
    (expires === null || Number.isFinite(expires)) &&
    (overlapEnds === null || Number.isFinite(overlapEnds)) &&
    isTexts(wire.forget_on ?? []);
  if (!isKnown) throw new UnexpectedAnswerError('The service answered with a grant of another shape');
  return {
    position: readPosition(wire.position),
    epoch: wire.epoch,
    keyId: wire.key_id,
    ownerId: wire.owner_id,
    name: wire.name,
    scopes,
    allowedCidrs: cidrs,
    expiresInMs: expires,
    expiresAt: wire.expires_at,
    which: wire.which,
    overlapEndsInMs: overlapEnds,
    forgetOn: wire.forget_on ?? [],
  };
}

/** A transaction's id, as decimal text: up to 2^64. */
function readPosition(text: unknown): bigint {
  if (typeof text !== 'string' || !/^\d{1,20}$/.test(text))
    throw new UnexpectedAnswerError('The service answered with a position that is not one');
  return BigInt(text);
}

function isDuration(value: unknown): value is number {
  return Number.isFinite(value) && (value as number) >= 0;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function members(value: unknown): object {
  if (typeof value !== 'object' || value === null)
    throw new UnexpectedAnswerError('The service answered with something that is not an object');
  return value;
}
