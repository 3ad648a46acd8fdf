import type { Refusal } from '@w3ipfs/api-keys-guard/decision';
import { failure } from '../envelope.js';
import type { ApiError } from './api-error.js';
import type { ErrorCode } from './error-codes.js';

export interface ErrorResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
  code: ErrorCode;
  /** The verdict, if the error reports one. */
  verdict: Refusal | undefined;
}

/** The response to a request that failed. @param id of the request */
export function errorResponse(error: ApiError, id: string): ErrorResponse {
  const { code, status, headers, verdict } = error;
  return { code, status, headers, verdict, body: JSON.stringify(failure(error, id)) };
}
