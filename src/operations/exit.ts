import { StartError } from '../config/start-error.js';
import { ConfigurationError } from '../config/variables.js';
import { ApiError } from '../contract/api-error.js';
import { inFull, inOneLine } from '../contract/error-text.js';
import { DataDirError } from '../database/data-dir-error.js';
import { type TellOperator, tellInLog } from './standard-streams.js';

/** An operator's command that cannot be carried out as it was written. */
export class UsageError extends Error {}

/** Exit codes of sysexits.h: EX_USAGE and EX_CONFIG. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Ends the process, telling why: in words where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown, tell: TellOperator = tellInLog): never {
  const code = codeOf(error);
  const isFromSystem = error instanceof Error && 'syscall' in error;
  const isForOperator = code !== 1 || error instanceof ApiError || error instanceof StartError || isFromSystem;
  tell({
    level: 'error',
    context: 'Process',
    ...(isForOperator ? { message: (error as Error).message } : { message: inOneLine(error), stack: inFull(error) }),
  });
  process.exit(code);
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EX_USAGE;
  return error instanceof ConfigurationError || error instanceof DataDirError ? EX_CONFIG : 1;
}
