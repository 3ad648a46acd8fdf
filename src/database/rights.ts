/** What the service does to each of its tables, for which the database's user needs the right. */
const REQUIRED_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  api_keys: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  key_changes: ['SELECT', 'INSERT', 'DELETE'],
  owners: ['SELECT', 'INSERT', 'UPDATE'],
  audit_events: ['SELECT', 'INSERT'],
  usage_days: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  idempotent_answers: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  cascades: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  migrations: ['SELECT'],
};

/** Whether this server takes changes, and which rights are missing: `INSERT on owners`. */
export const MISSING_RIGHTS_QUERY = `
  SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly",
         array(SELECT needed.right || ' on ' || needed.table
               FROM unnest($1::text[], $2::text[]) AS needed ("table", "right")
               WHERE NOT has_table_privilege(to_regclass(needed.table), needed.right)) AS missing`;

export const RIGHTS_PARAMETERS: readonly string[][] = [
  Object.entries(REQUIRED_RIGHTS).flatMap(([table, rights]) => rights.map(() => table)),
  Object.values(REQUIRED_RIGHTS).flat(),
];

/** Of what the server says of a missing right (SQLSTATE insufficient_privilege), only which object it is about. */
const PERMISSION_DENIED = /^permission denied for (\w+) ([\w.]+)$/;

/**
 * Which right is missing, in words; it quotes names of the schema alone, never a value.
 *
 * @param otherwise where the server does not say which
 */
export function missingRight(message: string, otherwise = 'a right is missing'): string {
  const [, kind = '', name = ''] = PERMISSION_DENIED.exec(message) ?? [];
  if (!kind) return otherwise;
  const needed = REQUIRED_RIGHTS[name];
  return `permission denied for ${kind} ${name}${needed ? `; the service needs ${needed.join(', ')} on it` : ''}`;
}
