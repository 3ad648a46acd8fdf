import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigurationError } from './start-error.js';

/** In the working folder, which with npm is the one of `package.json`. */
const ENV_FILE = '.env';
const SENTINEL = '_BEHIND_THE_LAST';

/**
 * Adds the variables of `.env`, where there is one, to the environment. What is set there already stays, empty or not.
 *
 * @throws ConfigurationError if the file cannot be read, or has a line that is no `NAME=value`
 */
export function readEnvFile(environment: NodeJS.ProcessEnv = process.env, file = ENV_FILE): void {
  // Editors on Windows begin a file with a byte order mark
  const text = readText(file).replace(/^\uFEFF/, '');
  // The parser takes a line without `=` for the beginning of the next name, so the last one needs a name behind it
  const { [SENTINEL]: _, ...variables } = parseEnv(`${text}\n${SENTINEL}=`);
  const isWhole = Object.keys(variables).every((name) => /^[A-Za-z_]\w*$/.test(name));
  if (!isWhole) throw new ConfigurationError([`${file}: each line must be NAME=value, a comment (#), or empty`]);
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
