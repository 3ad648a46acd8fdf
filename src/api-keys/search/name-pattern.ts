/** ASCII punctuation, which may be special in a regular expression. Escaped letters and digits would be special, too. */
const PUNCTUATION = /[!-/:-@[-`{-~]/;

/**
 * A PostgreSQL regular expression that matches a text case-insensitively. It lists each letter in all its cases: the
 * database folds only what its `LC_CTYPE` knows, possibly only ASCII.
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
