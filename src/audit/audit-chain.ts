import { createHash } from 'node:crypto';
import type { AuditEvent } from './audit-event.entity.js';

/** An event without its hash. */
export type AuditEntry = Omit<AuditEvent, 'hash'>;

/**
 * SHA-256 over an event's fields and the hash of the owner's previous event. Altering, removing or inserting an event
 * changes every later hash, and the head, which is stored in `owners`.
 *
 * @param previous `null` for the first event
 */
export function chainHash(previous: Buffer | null, event: AuditEntry): Buffer {
  const { ownerId, seq, at, actor, action, apiKeyId, refusal, ip, requestId, changes } = event;
  const fields = [ownerId, seq, toUtc(at), actor, action, apiKeyId, refusal, ip, requestId, canonical(changes)];
  return createHash('sha256')
    .update(previous ?? '')
    .update(JSON.stringify(fields))
    .digest();
}

/** `at` is a number if the row was altered to `infinity`. */
function toUtc(at: Date): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? String(at) : time.toISOString();
}

/**
 * Sorts properties by name, since `jsonb` does not keep their order. A number too large for JavaScript was never written
 * by the service, but `JSON.stringify()` would turn it into `null`, which may have been.
 */
function canonical(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) };
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([name, child]) => [name, canonical(child)]);
}
