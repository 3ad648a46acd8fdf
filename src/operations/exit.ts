import { ConfigurationError } from '../config/variables.js';
import { DataDirError } from '../database/embedded-postgres.js';

/** The exit code of a configuration that cannot be used: EX_CONFIG of sysexits.h. */
const EX_CONFIG = 78;

/** Ends the process, telling why: in one line where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown): never {
  const isConfiguration = error instanceof ConfigurationError || error instanceof DataDirError;
  const isFromSystem = error instanceof Error && 'code' in error;
  console.error(isConfiguration || isFromSystem ? error.message : error);
  process.exit(isConfiguration ? EX_CONFIG : 1);
}
