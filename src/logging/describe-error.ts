import { types } from 'node:util';
import { QueryFailedError } from 'typeorm';
import { missingRight } from '../database/rights.js';

/** SQLSTATE insufficient_privilege. */
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Describes an error for the log, with its stack. A failed query is described by its SQLSTATE and call site only: the
 * driver's text and parameters may contain secrets.
 */
export function describeError(error: unknown): string {
  if (error === undefined) return '';
  if (!types.isNativeError(error)) return `${typeof error} thrown`;
  if (!(error instanceof QueryFailedError)) return error.stack ?? error.message;
  const { code = 'no code', message } = error.driverError as Error & { code?: string };
  const state = code === INSUFFICIENT_PRIVILEGE ? `${code} (${missingRight(message)})` : code;
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  return [`a query failed: ${state}`, ...frames].join('\n');
}

/** Describes an error in one line, without the stack. */
export function summarizeError(error: unknown): string {
  return describeError(error).split('\n', 1)[0] ?? '';
}
