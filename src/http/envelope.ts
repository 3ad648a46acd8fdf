import type { ApiError } from './errors/api-error.js';
import { boundedDetails, boundedMessage } from './errors/error-bounds.js';

/** The envelope of every successful response. */
export interface Success<T> {
  data: T;
  status: 'success';
}

export function success<T>(data: T): Success<T> {
  return { data, status: 'success' };
}

/** The envelope of every error response: at most 16 KiB, whatever it quotes. */
export function failure(error: ApiError, requestId: string) {
  const { code, message, reason, details } = error;
  return {
    status: 'error' as const,
    error: {
      code,
      message: boundedMessage(message),
      ...(reason && { reason }),
      ...(details && { details: boundedDetails(details) }),
    },
    request_id: requestId,
  };
}
