import type { z } from 'zod';
import { cleanVariables } from './clean-variables.js';
import { ConfigurationError } from './start-error.js';

/**
 * Parses the variables of a schema; an empty one counts as absent.
 *
 * @param furtherProblems what the schema cannot tell, by the values given
 * @throws ConfigurationError listing every problem; it never quotes a value, which may be secret
 */
export function parseWith<T>(
  schema: z.ZodType<T>,
  names: readonly string[],
  source: NodeJS.ProcessEnv,
  furtherProblems: (given: NodeJS.ProcessEnv) => string[] = () => [],
): T {
  const { values, problems } = cleanVariables(source, names);
  const parsed = schema.safeParse(values);
  const issues = parsed.success ? [] : parsed.error.issues;
  // A value that is not clean gets no further problems
  const found = issues.filter(({ path }) => !problems.has(String(path[0])));
  const all = [
    ...[...problems].map((problem) => problem.join(': ')),
    ...found.map(({ code, path, message }) => `${pathOf(path, code === 'custom')}: ${message}`),
    ...furtherProblems(values),
  ];
  if (!parsed.success || all.length > 0) throw new ConfigurationError([...new Set(all)]);
  return parsed.data;
}

/** The variable and, for a problem inside its file, the path: `ROUTE_TABLE[3].method`. */
function pathOf([variable, ...within]: PropertyKey[], isInFile: boolean): string {
  const steps = isInFile ? within : [];
  return String(variable) + steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}
