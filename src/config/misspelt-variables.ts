import { probablyMeant } from '../suggestions/suggestions.js';

/** Shorter names resemble too many unrelated ones. */
const MIN_NAME_LENGTH = 6;

/**
 * Warns of unknown variables whose names resemble one of ours, such as `REDIS_URI`: the operator expects them to take
 * effect. Never quotes a value. Only warnings, since the environment also has the variables of other programs.
 *
 * @param known the names of all variables
 * @returns one message for each
 */
export function misspeltVariables(source: NodeJS.ProcessEnv, known: readonly string[]): string[] {
  const missing = known.filter((name) => source[name] === undefined);
  return Object.keys(source).flatMap((name) => {
    if (name.length < MIN_NAME_LENGTH || known.includes(name)) return [];
    const meant = probablyMeant(name, missing);
    return meant === '' ? [] : [`${name} is not a variable of this service${meant}`];
  });
}
