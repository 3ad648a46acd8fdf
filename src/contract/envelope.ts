import type { ApiError } from './api-error.js';

/** The envelope of every answer that succeeds. */
export interface Success<T> {
  data: T;
  status: 'success';
}

export function success<T>(data: T): Success<T> {
  return { data, status: 'success' };
}

/** The envelope of every answer that fails. */
export function failure(error: ApiError, requestId: string) {
  const { code, message, reason, details } = error;
  return {
    status: 'error' as const,
    error: { code, message, ...(reason && { reason }), ...(details && { details }) },
    request_id: requestId,
  };
}
