import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Matches, ValidateBy } from 'class-validator';
import { type GivenScopes, normalizeScopes } from '../../principals/scopes.js';
import { CanonicalIds, KeyId } from '../../http/validation/canonical-id.js';
import { ERROR_CODES, type ErrorCode } from '../../http/errors/error-codes.js';
import { Cursor, fromCursor, toCursor } from '../../http/validation/cursor.js';
import { Optional } from '../../http/validation/optional.decorator.js';
import { OneOf } from '../../http/validation/one-of.decorator.js';
import { parseTimestamp } from '../../http/validation/timestamp.js';
import { WholeNumberInQuery } from '../../http/validation/whole-number.decorator.js';
import { AUDIT_ACTIONS, type AuditAction } from '../audit-actions.js';
import type { AuditEvent } from '../audit-event.entity.js';
import type { EventPage, EventSearch } from '../event-finder.js';

const ACTOR = /^(?:session|operator|anonymous|key:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

function TimeInQuery(): PropertyDecorator {
  const message = 'must be a time in RFC 3339 with its zone, like 2030-01-31T12:00:00Z';
  return ValidateBy({ name: 'time', validator: { validate: (time) => parseTimestamp(time) !== null } }, { message });
}

/** The query of `GET /api/apiKeys/events`. */
export class EventsQuery {
  @Optional()
  @KeyId({ required: false })
  api_key_id?: string;

  @Optional()
  @OneOf(AUDIT_ACTIONS)
  @ApiProperty({ required: false, enum: AUDIT_ACTIONS, enumName: 'AuditAction', description: 'What was done' })
  action?: AuditAction;

  @Optional()
  @CanonicalIds()
  @Matches(ACTOR, { message: 'must be session, operator, anonymous, or key: and the id of a key' })
  @ApiProperty({ required: false, description: 'Who did it, as in `actor` of the events', example: 'session' })
  actor?: string;

  @Optional()
  @TimeInQuery()
  @ApiProperty({ required: false, format: 'date-time', description: 'Events at or after this time' })
  from?: string;

  @Optional()
  @TimeInQuery()
  @ApiProperty({ required: false, format: 'date-time', description: 'Events before this time' })
  to?: string;

  @WholeNumberInQuery(1, 100)
  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 10,
    required: false,
    description: 'Events per page',
  })
  limit = 10;

  @Cursor(/^\d{1,16}$/)
  cursor?: string;
}

export function toEventSearch({ api_key_id, action, actor, from, to, limit, cursor }: EventsQuery): EventSearch {
  return {
    apiKeyId: api_key_id,
    action,
    actor,
    from: parseTimestamp(from) ?? undefined,
    to: parseTimestamp(to) ?? undefined,
    before: cursor && fromCursor(cursor),
    limit,
  };
}

/** An event on the wire. */
@ApiSchema({ name: 'AuditEvent' })
export class EventDto {
  @ApiProperty({ type: 'integer', description: 'The number of the event in your trail, without gaps' })
  seq: number;

  @ApiProperty({ format: 'date-time' })
  at: string;

  @ApiProperty({ description: '`session`, `operator`, `anonymous`, or `key:` and the id of a key', example: 'session' })
  actor: string;

  @ApiProperty({ enum: AUDIT_ACTIONS, enumName: 'AuditAction' })
  action: AuditAction;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  api_key_id: string | null;

  @ApiProperty({
    enum: Object.keys(ERROR_CODES),
    enumName: 'ErrorCode',
    nullable: true,
    description: 'The error code of a refused call',
  })
  refusal: ErrorCode | null;

  @ApiProperty({ type: String, nullable: true, example: '203.0.113.7' })
  ip: string | null;

  @ApiProperty({ type: String, nullable: true })
  request_id: string | null;

  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Old and new values' })
  changes: Record<string, unknown>;

  static of(event: AuditEvent): EventDto {
    return {
      seq: Number(event.seq),
      at: event.at.toISOString(),
      actor: event.actor,
      action: event.action,
      api_key_id: event.apiKeyId,
      refusal: event.refusal,
      ip: event.ip,
      request_id: event.requestId,
      changes: withOrderedScopes(event.changes),
    };
  }
}

/** Orders scopes as all other answers do: those of a new key, or those before and after a change. */
function withOrderedScopes(changes: Record<string, unknown>): Record<string, unknown> {
  const { scopes } = changes;
  if (typeof scopes !== 'object' || scopes === null) return changes;
  const { from, to } = scopes as { from?: GivenScopes; to?: GivenScopes };
  const ordered =
    from && to ? { from: normalizeScopes(from), to: normalizeScopes(to) } : normalizeScopes(scopes as GivenScopes);
  return { ...changes, scopes: ordered };
}

@ApiSchema({ name: 'AuditEventPage' })
export class EventPageDto {
  @ApiProperty({ type: [EventDto] })
  events: EventDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description:
      '`null` on the last page. With filters, a page examines at most 10,000 events: it may contain fewer than ' +
      '`limit`, or none, without being the last',
  })
  next_cursor: string | null;

  static of({ events, next }: EventPage): EventPageDto {
    return { events: events.map((event) => EventDto.of(event)), next_cursor: toCursor(next) };
  }
}

export const EVENTS_EXAMPLE: EventPageDto = {
  events: [
    {
      seq: 2,
      at: '2026-11-24T03:41:07.112Z',
      actor: 'session',
      action: 'key.updated',
      api_key_id: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
      refusal: null,
      ip: '203.0.113.7',
      request_id: '0f2d9b1e-6c1f-4a57-9d0e-3f7c5b8a9e42',
      changes: { name: { from: 'test-api-key', to: 'gallery' } },
    },
  ],
  next_cursor: 'Mg',
};
