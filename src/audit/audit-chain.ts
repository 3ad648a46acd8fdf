import { createHash } from 'node:crypto';
import type { AuditEvent } from './audit-event.entity.js';

/** What an event says, without its place in the chain's proof. */
export type AuditEntry = Omit<AuditEvent, 'hash'>;

/**
 * The hash that an event is chained by: SHA-256 over all that it says and the hash of the owner's event before
 * it. Whoever alters an event, takes one out or puts one in has to make all later hashes anew, and the head,
 * which is kept in `owners`.
 *
 * @param previous `null` before the first
 */
export function chainHash(previous: Buffer | null, event: AuditEntry): Buffer {
  const { ownerId, seq, at, actor, action, apiKeyId, refusal, ip, requestId, changes } = event;
  const said = [ownerId, seq, inUtc(at), actor, action, apiKeyId, refusal, ip, requestId, sorted(changes)];
  return createHash('sha256')
    .update(previous ?? '')
    .update(JSON.stringify(said))
    .digest();
}

/** `at` is no `Date` where somebody has put `infinity` into the row. */
function inUtc(at: Date): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? String(at) : time.toISOString();
}

/**
 * `jsonb` keeps no order of properties: they are hashed in the order of their names. A number that is too large for
 * JavaScript was never written, but `JSON.stringify()` would take it for the `null` that may have been.
 */
function sorted(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) };
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([name, child]) => [name, sorted(child)]);
}
