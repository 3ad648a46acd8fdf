/** What may mean something in a regular expression; a backslash before a letter or a digit would mean something else. */
const PUNCTUATION = /[!-/:-@[-`{-~]/;

/**
 * A regular expression of PostgreSQL's that finds a text in whatever case. Each letter stands there in all its cases: the
 * database folds no more than its `LC_CTYPE` knows, which may be ASCII alone.
 */
export function namePattern(text: string): string {
  return text.replaceAll(/./gsu, anyCaseOf);
}

function anyCaseOf(character: string): string {
  const upper = character.toUpperCase();
  const cases = new Set([character, character.toLowerCase(), upper, upper.toLowerCase()]);
  if (cases.size > 1) return `(?:${[...cases].join('|')})`;
  return PUNCTUATION.test(character) ? `\\${character}` : character;
}
