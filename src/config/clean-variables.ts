/** Typographic quotes included: text processors and web pages substitute them. */
const QUOTES = '\'"`\u2018\u2019\u201c\u201d\u00ab\u00bb';
const QUOTED = /^(['"])(.*)\1$/s;
const EDGE_QUOTE = new RegExp(`^[${QUOTES}]|[${QUOTES}]$`, 'u');
/** Line breaks, other control characters, and zero-width ones such as U+200B and U+FEFF. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;
/** Syntax that a shell expands; Docker, systemd and Node, which read such files too, do not. */
const SHELL_SYNTAX = /^~(?=\/|$)|\$[{(]/;
/** Lists may put each entry on a line of its own. */
const ENTRY_SEPARATOR = /,\s+/g;

/** The only variable that may span lines: it holds PEMs. */
const MULTILINE_VARIABLE = 'JWT_PUBLIC_KEY';

/** The variables without the characters that shells, editors and `.env` parsers leave around values. */
export interface CleanVariables {
  /** Variables that have a value. */
  values: Record<string, string>;
  /** By variable: what is wrong with its value and cannot safely be stripped. */
  problems: Map<string, string>;
}

/**
 * Strips whitespace, carriage returns and one pair of quotes, which Docker, systemd and Windows editors leave around
 * values. An empty value counts as absent.
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
  // `"a","b"` is not one quoted value
  return quote === undefined || quoted.includes(quote) ? trimmed : quoted.trim();
}

function problemOf(name: string, value: string): string | undefined {
  if (EDGE_QUOTE.test(value))
    return 'must not begin or end with a quote: quote the whole value with plain quotes, or not at all';
  const [shell] = SHELL_SYNTAX.exec(value) ?? [];
  if (shell !== undefined) return `must not contain ${shell}, which only a shell expands: write the expanded value`;
  if (name === MULTILINE_VARIABLE) return undefined;
  const [invisible] = INVISIBLE.exec(value.replaceAll(ENTRY_SEPARATOR, ',')) ?? [];
  return invisible && `must not contain an invisible character (${codePoint(invisible)})`;
}

function codePoint(character: string): string {
  const digits = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return character === '\n' || character === '\r' ? 'a line break' : `U+${digits}`;
}
