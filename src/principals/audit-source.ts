/** The source of an audited action: who, and from where. */
export interface AuditSource {
  /** `session`, `operator`, `anonymous`, or `key:` and the id of an API key. */
  actor: string;
  /** The client's address; `null` without one. */
  ip: string | null;
  requestId: string | null;
}

/** An operator, who runs commands on the machine. */
export const OPERATOR: AuditSource = { actor: 'operator', ip: null, requestId: null };
