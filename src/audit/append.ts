import type { EntityManager } from 'typeorm';
import type { ErrorCode } from '../http/errors/error-codes.js';
import type { AuditAction } from './audit-actions.js';
import { type AuditEntry, chainHash } from './audit-chain.js';
import type { AuditSource } from '../principals/audit-source.js';
import { storableId, storableJson, storableText } from './storable.js';

/** What was done, or refused. */
export interface AuditRecord {
  action: AuditAction;
  apiKeyId: string | null;
  /** Old and new values; never a secret. */
  changes?: Record<string, unknown>;
  /** The error code of a refused call. */
  refusal?: ErrorCode;
}

/** An event that is not in the chain yet. */
export interface PendingEvent extends AuditRecord {
  at: Date;
  source: AuditSource;
}

/**
 * Creates the owner's row if it is missing, and locks it: the events of an owner are appended one at a time. Numbering
 * continues after the last event even if the head was lost or set back: a revocation must not fail on that, and the
 * check reports it. The casts return the values as they will be read back (ids, milliseconds, lengths, `jsonb` numbers):
 * a hash over any other form would not match the row.
 */
const LOCK_HEAD = `
  WITH head AS (
    INSERT INTO owners (owner_id) VALUES ($1)
    ON CONFLICT (owner_id) DO UPDATE SET owner_id = excluded.owner_id
    RETURNING owner_id, audit_seq, audit_hash
  )
  SELECT audit_hash AS "headHash", owner_id AS "ownerId", place + greatest(audit_seq, (
           SELECT max(seq) FROM audit_events AS last WHERE last.owner_id = head.owner_id
         )) AS seq, at::timestamptz(3),
         actor::varchar(40), action::varchar(40), api_key_id AS "apiKeyId", refusal::varchar(40), ip::varchar(45),
         request_id::varchar(128) AS "requestId", changes
  FROM head, unnest($2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::jsonb[])
    WITH ORDINALITY AS given (at, actor, action, api_key_id, refusal, ip, request_id, changes, place)
  ORDER BY place`;

/** Inserts the events and moves the head to the last one. */
const APPEND = `
  WITH appended AS (
    INSERT INTO audit_events (owner_id, seq, at, actor, action, api_key_id, refusal, ip, request_id, changes, hash)
    SELECT $1::varchar, * FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::text[],
                             $8::text[], $9::text[], $10::jsonb[], $11::bytea[])
  )
  UPDATE owners SET audit_seq = $12, audit_hash = $13 WHERE owner_id = $1::varchar`;

/**
 * Appends events to an owner's trail in the given order, and locks the trail until the transaction ends. Text that
 * PostgreSQL cannot store is replaced or cut, so that it never fails the change it describes.
 *
 * @returns the `seq` of the last event; `undefined` without events
 */
export async function appendEvents(
  tx: EntityManager,
  ownerId: string,
  events: readonly PendingEvent[],
): Promise<string | undefined> {
  if (events.length === 0) return undefined;
  const stored = (await tx.query(LOCK_HEAD, [ownerId, ...storableColumns(events)])) as (AuditEntry & {
    headHash: Buffer | null;
  })[];
  const hashes: Buffer[] = [];
  for (const { headHash, ...entry } of stored) hashes.push(chainHash(hashes.at(-1) ?? headHash, entry));
  const column = (name: keyof AuditEntry) => stored.map((entry) => entry[name]);
  const last = stored.at(-1)?.seq;
  await tx.query(APPEND, [
    ownerId,
    column('seq'),
    column('at'),
    column('actor'),
    column('action'),
    column('apiKeyId'),
    column('refusal'),
    column('ip'),
    column('requestId'),
    column('changes').map((changes) => JSON.stringify(changes)),
    hashes,
    last,
    hashes.at(-1),
  ]);
  return last;
}

function storableColumns(events: readonly PendingEvent[]): unknown[][] {
  const text = (value: string | null) => value && storableText(value);
  return [
    events.map(({ at }) => at),
    events.map(({ source }) => text(source.actor)),
    events.map(({ action }) => text(action)),
    events.map(({ apiKeyId }) => storableId(apiKeyId)),
    events.map(({ refusal = null }) => text(refusal)),
    events.map(({ source }) => text(source.ip)),
    events.map(({ source }) => text(source.requestId)),
    events.map(({ changes = {} }) => storableJson(changes)),
  ];
}
