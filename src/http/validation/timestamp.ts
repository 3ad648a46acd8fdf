const RFC_3339 = /^\d{4}-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** The last year of RFC 3339. A time with an offset may be in the next year in UTC. */
const LAST_YEAR = 9_999;

/** Parses a time (RFC 3339, `date-time`), to the millisecond; `null` if it is invalid, like 30 February. */
export function parseTimestamp(value: unknown): Date | null {
  const [, month, day] = (typeof value === 'string' && RFC_3339.exec(value)) || [];
  if (month === undefined || Number(day) > daysOf(String(value).slice(0, 4), month)) return null;
  const time = new Date(String(value).toUpperCase());
  return time.getUTCFullYear() <= LAST_YEAR ? time : null;
}

/** By the clock of the host. */
export function isFuture(time: Date): boolean {
  return time.getTime() > Date.now();
}

function daysOf(year: string, month: string): number {
  return new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}
