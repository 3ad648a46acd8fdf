import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigurationError } from './start-error.js';

/** Relative to the working folder; with npm, that of `package.json`. */
const ENV_FILE = '.env';
const SENTINEL = '_SENTINEL';

/**
 * Adds the variables of `.env`, if it exists, to the environment. Variables that are already set, even to an empty
 * value, take precedence.
 *
 * @throws ConfigurationError if the file cannot be read, or a line is not `NAME=value`
 */
export function readEnvFile(environment: NodeJS.ProcessEnv = process.env, file = ENV_FILE): void {
  // Windows editors start a file with a byte order mark
  const text = readText(file).replace(/^\uFEFF/, '');
  // The parser joins a line without `=` to the next name; the sentinel exposes such a last line
  const { [SENTINEL]: _, ...variables } = parseEnv(`${text}\n${SENTINEL}=`);
  const isWellFormed = Object.keys(variables).every((name) => /^[A-Za-z_]\w*$/.test(name));
  if (!isWellFormed) throw new ConfigurationError([`${file}: each line must be NAME=value, a comment (#), or empty`]);
  for (const [name, value] of Object.entries(variables)) environment[name] ??= value;
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
