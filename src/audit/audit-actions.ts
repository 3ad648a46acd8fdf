/** Everything that the audit trail tells of. `audit.accepted`: an operator has accepted what a check found wrong. */
export const AUDIT_ACTIONS = [
  'key.created',
  'key.updated',
  'key.rotated',
  'key.revoked',
  'call.refused',
  'audit.accepted',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];
