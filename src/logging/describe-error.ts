import { types } from 'node:util';
import { QueryFailedError } from 'typeorm';
import { missingRight } from '../database/rights.js';

/** SQLSTATE insufficient_privilege. */
const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * An error as a log may show it, with its stack. A failed query is told by its SQLSTATE and where it was made: the
 * driver's text and its parameters may hold what is secret.
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

/** The same, without the stack. */
export function summarizeError(error: unknown): string {
  return describeError(error).split('\n', 1)[0] ?? '';
}
