/** Who does something, and from where: what an audit event says of it. */
export interface AuditSource {
  /** `session`, `operator`, `anonymous`, or `key:` and the id of an API key. */
  actor: string;
  /** The client's address; `null` where there is none. */
  ip: string | null;
  requestId: string | null;
}

/** Whoever runs commands on the machine itself. */
export const OPERATOR: AuditSource = { actor: 'operator', ip: null, requestId: null };
