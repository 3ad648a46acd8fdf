/** Typographic ones too, which text processors and web pages put in place of the plain ones. */
const QUOTES = '\'"`\u2018\u2019\u201c\u201d\u00ab\u00bb';
const QUOTED = /^(['"])(.*)\1$/s;
const EDGE_QUOTE = new RegExp(`^[${QUOTES}]|[${QUOTES}]$`, 'u');
/** Line breaks, other control characters, and those that take no room, such as U+200B and U+FEFF. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;
/** What a shell replaces, and Docker, systemd and Node, which read such files too, do not. */
const SHELL_SYNTAX = /^~(?=\/|$)|\$[{(]/;
/** Lists may have one entry a line. */
const ENTRY_SEPARATOR = /,\s+/g;

/** The one variable that may have several lines: PEMs. */
const MULTILINE_VARIABLE = 'JWT_PUBLIC_KEY';

/** What the variables are without what shells, editors and readers of `.env` leave around them. */
export interface CleanVariables {
  /** Those with a value. */
  values: Record<string, string>;
  /** By variable, what it holds that is part of no value, and cannot be taken off it for certain. */
  problems: Map<string, string>;
}

/**
 * Takes blanks, carriage returns and one pair of quotes off the values: Docker, systemd and editors of Windows leave them
 * there. What is empty then counts as absent.
 */
export function cleanVariables(source: NodeJS.ProcessEnv, names: readonly string[]): CleanVariables {
  const values: Record<string, string> = {};
  const problems = new Map<string, string>();
  for (const name of names) {
    const value = clean(source[name] ?? '');
    if (value !== '') values[name] = value;
    const problem = problemOf(name, value);
    if (problem !== undefined) problems.set(name, problem);
  }
  return { values, problems };
}

function clean(given: string): string {
  const trimmed = given.trim();
  const [, quote, quoted = ''] = QUOTED.exec(trimmed) ?? [];
  // `"a","b"` is no quoted value
  return quote === undefined || quoted.includes(quote) ? trimmed : quoted.trim();
}

function problemOf(name: string, value: string): string | undefined {
  if (EDGE_QUOTE.test(value))
    return 'must be without quotes: write them around the value as a whole, in plain ones, or not';
  const [shell] = SHELL_SYNTAX.exec(value) ?? [];
  if (shell !== undefined)
    return `must not have ${shell} in it, which only a shell replaces: write out what it stands for`;
  if (name === MULTILINE_VARIABLE) return undefined;
  const [invisible] = INVISIBLE.exec(value.replaceAll(ENTRY_SEPARATOR, ',')) ?? [];
  return invisible && `must not have a character in it that cannot be seen (${codePoint(invisible)})`;
}

function codePoint(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return character === '\n' || character === '\r' ? 'a line break' : `U+${digits}`;
}
