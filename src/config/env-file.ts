import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigurationError } from './start-error.js';

/** Relative to the working folder; with npm, that of `package.json`. */
const ENV_FILE = '.env';
/**
 * Nothing, a comment, or `NAME=value`; a quoted value may have several lines. Node's parser skips other lines or joins them
 * to the next one, depending on its version.
 */
const STATEMENT =
  /[ \t\r]*(?:#[^\n]*|(?:export[ \t]+)?[A-Za-z_]\w*[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?[^\n]*)?(?:\n|$)/y;

/**
 * Adds the variables of `.env`, if it exists, to the environment. Variables that are already set, even to an empty
 * value, take precedence.
 *
 * @throws ConfigurationError if the file cannot be read, or a line is not `NAME=value`
 */
export function readEnvFile(environment: NodeJS.ProcessEnv = process.env, file = ENV_FILE): void {
  // Windows editors start a file with a byte order mark
  const text = readText(file).replace(/^\uFEFF/, '');
  if (!isWellFormed(text))
    throw new ConfigurationError([`${file}: each line must be NAME=value, a comment (#), or empty`]);
  for (const [name, value] of Object.entries(parseEnv(text))) environment[name] ??= value;
}

function isWellFormed(text: string): boolean {
  for (STATEMENT.lastIndex = 0; STATEMENT.lastIndex < text.length;) if (!STATEMENT.test(text)) return false;
  return true;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw new ConfigurationError([`${file}: ${message}`]);
  }
}
