/**
 * Everything that the audit trail tells of. `key.rotation_repeated`: the answer to a key's rotation of itself was given
 * once more, by the secret that it had ended. `audit.accepted`: an operator has accepted what a check found wrong.
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
