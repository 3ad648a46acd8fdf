import type { EntityManager } from 'typeorm';
import type { AuditAction } from './audit-actions.js';
import { type AuditEntry, chainHash } from './audit-chain.js';
import type { AuditSource } from '../principals/audit-source.js';
import { storableId, storableJson, storableText } from './storable.js';

/** One thing that was done, or refused. */
export interface AuditRecord {
  action: AuditAction;
  apiKeyId: string | null;
  /** What was changed, and into what; never a secret. */
  changes?: Record<string, unknown>;
  /** The error's code, where the call was refused. */
  refusal?: string;
}

/** Something that happened, who did it and when. */
export interface AuditOccurrence extends AuditRecord {
  at: Date;
  origin: AuditSource;
}

/**
 * Makes the owner's row if there is none, and holds it: events of one owner are chained one after the other. It
 * goes on behind the last event even where the head was lost or set back: nobody's revocation may fail on that, and the
 * check tells of it. And turns what shall be stored into what will be read again (the form of an id, times to the millisecond, lengths, the
 * numbers of `jsonb`), since a hash over anything else would not fit the row.
 */
const HOLD_HEAD = `
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

/** The events, however many they are, and the head that they lead to. */
const APPEND = `
  WITH appended AS (
    INSERT INTO audit_events (owner_id, seq, at, actor, action, api_key_id, refusal, ip, request_id, changes, hash)
    SELECT $1::varchar, * FROM unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::uuid[], $7::text[],
                             $8::text[], $9::text[], $10::jsonb[], $11::bytea[])
  )
  UPDATE owners SET audit_seq = $12, audit_hash = $13 WHERE owner_id = $1::varchar`;

/**
 * Appends events to an owner's trail, in the order in which they are given, and holds the trail until the transaction
 * ends. What PostgreSQL cannot store of them is replaced or cut: neither the chain nor what is recorded may fail on it.
 *
 * @returns the last event's place; `undefined` if there are no events
 */
export async function appendEvents(
  tx: EntityManager,
  ownerId: string,
  occurrences: readonly AuditOccurrence[],
): Promise<string | undefined> {
  if (occurrences.length === 0) return undefined;
  const stored = (await tx.query(HOLD_HEAD, [ownerId, ...storableColumns(occurrences)])) as (AuditEntry & {
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

function storableColumns(occurrences: readonly AuditOccurrence[]): unknown[][] {
  const text = (value: string | null) => value && storableText(value);
  return [
    occurrences.map(({ at }) => at),
    occurrences.map(({ origin }) => text(origin.actor)),
    occurrences.map(({ action }) => text(action)),
    occurrences.map(({ apiKeyId }) => storableId(apiKeyId)),
    occurrences.map(({ refusal = null }) => text(refusal)),
    occurrences.map(({ origin }) => text(origin.ip)),
    occurrences.map(({ origin }) => text(origin.requestId)),
    occurrences.map(({ changes = {} }) => storableJson(changes)),
  ];
}
