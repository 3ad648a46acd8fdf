import { ConfigurationError } from '../config/variables.js';
import { ApiError } from '../contract/api-error.js';
import { DataDirError } from '../database/embedded-postgres.js';

/** An operator's command that cannot be carried out as it was written. */
export class UsageError extends Error {}

/** Exit codes of sysexits.h: EX_USAGE and EX_CONFIG. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Ends the process, telling why: in words where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown): never {
  const isFromSystem = error instanceof Error && 'code' in error;
  const isForOperator = codeOf(error) !== 1 || error instanceof ApiError || isFromSystem;
  console.error(isForOperator ? (error as Error).message : error);
  process.exit(codeOf(error));
}

/** On SIGTERM and SIGINT: closes what is open, then ends the process with 0. A second signal ends it at once. */
export function exitOnSignal(close: () => Promise<void>): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      close().then(() => process.exit(0), exitWith);
    });
  }
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EX_USAGE;
  return error instanceof ConfigurationError || error instanceof DataDirError ? EX_CONFIG : 1;
}
