import { StartError } from '../../config/start-error.js';
import { ApiError } from '../../http/errors/api-error.js';
import { describeError, summarizeError } from '../../logging/describe-error.js';
import { type OperatorOutput, writeLogLine } from '../../logging/standard-streams.js';

/** An operator's command that cannot be carried out as it was written. */
export class UsageError extends Error {}

/** Exit code of sysexits.h for a command that was not called as it has to be. */
export const EX_USAGE = 64;

/** Errors whose message says all that an operator needs. */
const OPERATOR_ERRORS = [UsageError, StartError, ApiError];

/** Ends the process, telling why: in words where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown, tell: OperatorOutput = writeLogLine): never {
  const isFromSystem = error instanceof Error && 'syscall' in error;
  const isForOperator = OPERATOR_ERRORS.some((kind) => error instanceof kind) || isFromSystem;
  tell({
    level: 'error',
    context: 'Process',
    ...(isForOperator
      ? { message: (error as Error).message }
      : { message: summarizeError(error), stack: describeError(error) }),
  });
  process.exit(exitCodeOf(error));
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EX_USAGE;
  return error instanceof StartError ? error.exitCode : 1;
}
