/**
 * The actions of audit events. `key.rotation_repeated`: a key that rotated itself got the lost answer again, by its
 * previous secret. `audit.accepted`: an operator accepted a problem that a check found.
 */
export const AUDIT_ACTIONS = [
  'key.created',
  'key.updated',
  'key.rotated',
  'key.rotation_repeated',
  'key.revoked',
  'call.refused',
  'audit.accepted',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];
