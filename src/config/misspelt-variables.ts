import { probablyMeant } from '../suggestions/suggestions.js';

/** Shorter names are near to too many others'. */
const MIN_NAME_LENGTH = 6;

/**
 * Names of variables that are none of ours, and nearly are: `REDIS_URI`. Whoever set them believes them in force. Never
 * with a value. The environment has others' variables too, so that this is no reason not to start.
 *
 * @param known the names of all variables
 */
export function misspeltVariables(source: NodeJS.ProcessEnv, known: readonly string[]): string[] {
  const missing = known.filter((name) => source[name] === undefined);
  return Object.keys(source).flatMap((name) => {
    if (name.length < MIN_NAME_LENGTH || known.includes(name)) return [];
    const meant = probablyMeant(name, missing);
    return meant === '' ? [] : [`${name} is no variable of this service${meant}`];
  });
}
