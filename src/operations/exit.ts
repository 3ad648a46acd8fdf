import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigurationError } from '../config/variables.js';
import { ApiError } from '../contract/api-error.js';
import { describe } from '../contract/describe.js';
import { DataDirError } from '../database/embedded-postgres.js';

/** An operator's command that cannot be carried out as it was written. */
export class UsageError extends Error {}

/** Exit codes of sysexits.h: EX_USAGE and EX_CONFIG. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

/** Ends the process, telling why: in words where the operator can mend it, with the stack where we must. */
export function exitWith(error: unknown): never {
  const isFromSystem = error instanceof Error && 'syscall' in error;
  const isForOperator = codeOf(error) !== 1 || error instanceof ApiError || isFromSystem;
  console.error(isForOperator ? (error as Error).message : describe(error));
  process.exit(codeOf(error));
}

/** How long requests under way may take to end once the process has been told to. */
const GRACE_MS = 5_000;

/** On SIGTERM and SIGINT: lets requests end, closes what is open, exits with 0. A second signal ends it at once. */
export function exitOnSignal(app: NestFastifyApplication): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      setTimeout(() => app.getHttpServer().closeAllConnections(), GRACE_MS).unref();
      app.close().then(() => process.exit(0), exitWith);
    });
  }
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError) return EX_USAGE;
  return error instanceof ConfigurationError || error instanceof DataDirError ? EX_CONFIG : 1;
}
