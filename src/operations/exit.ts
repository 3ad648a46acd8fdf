import { StartError } from '../config/start-error.js';
import { ConfigurationError } from '../config/variables.js';
import { ApiError } from '../contract/api-error.js';
import { inFull } from '../contract/error-text.js';
import { DataDirError } from '../database/data-dir-error.js';

/** An operator's command that cannot be carried out as it was written. */
export class UsageError extends Error {}

/** Exit codes of sysexits.h: EX_USAGE and EX_CONFIG. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Ends the process, telling why: in words where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown): never {
  const isFromSystem = error instanceof Error && 'syscall' in error;
  const isForOperator = codeOf(error) !== 1 || error instanceof ApiError || error instanceof StartError || isFromSystem;
  console.error(isForOperator ? (error as Error).message : inFull(error));
  process.exit(codeOf(error));
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EX_USAGE;
  return error instanceof ConfigurationError || error instanceof DataDirError ? EX_CONFIG : 1;
}
