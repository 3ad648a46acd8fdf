/** The rights that the service's database role needs, by table. */
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

/** Whether the server is read-only, and which rights are missing, as `INSERT on owners`. */
export const MISSING_RIGHTS_QUERY = `
  SELECT current_setting('transaction_read_only') = 'on' AS "isReadOnly",
         array(SELECT needed.right || ' on ' || needed.table
               FROM unnest($1::text[], $2::text[]) AS needed ("table", "right")
               WHERE NOT has_table_privilege(to_regclass(needed.table), needed.right)) AS missing`;

export const RIGHTS_PARAMETERS: readonly string[][] = [
  Object.entries(REQUIRED_RIGHTS).flatMap(([table, rights]) => rights.map(() => table)),
  Object.values(REQUIRED_RIGHTS).flat(),
];

/** The server's message for a missing right (SQLSTATE insufficient_privilege) on a named object. */
const PERMISSION_DENIED = /^permission denied for (\w+) ([\w.]+)$/;

/**
 * Describes a missing right. Quotes names of the schema, never a value.
 *
 * @param otherwise if the server does not name the object
 */
export function missingRight(message: string, otherwise = 'a right is missing'): string {
  const [, kind = '', name = ''] = PERMISSION_DENIED.exec(message) ?? [];
  if (!kind) return otherwise;
  const needed = REQUIRED_RIGHTS[name];
  return `permission denied for ${kind} ${name}${needed ? `; the service needs ${needed.join(', ')} on it` : ''}`;
}
