import { StartError } from '../../config/start-error.js';
import { ApiError } from '../../http/errors/api-error.js';
import { describeError, summarizeError } from '../../logging/describe-error.js';
import { type OperatorOutput, writeLogLine } from '../../logging/standard-streams.js';

/** A command was called with invalid arguments. */
export class UsageError extends Error {}

/** Exit code of sysexits.h for a command that was called with invalid arguments. */
export const EX_USAGE = 64;

/** Errors whose message is enough for the operator. */
const OPERATOR_ERRORS = [UsageError, StartError, ApiError];

/** Reports the error and exits: with the message alone if the operator can fix it, otherwise with the stack. */
export function exitWith(error: unknown, write: OperatorOutput = writeLogLine): never {
  const isFromSystem = error instanceof Error && 'syscall' in error;
  const isForOperator = OPERATOR_ERRORS.some((kind) => error instanceof kind) || isFromSystem;
  write({
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
