import { type Type, applyDecorators } from '@nestjs/common';
import { ApiResponse, type ApiResponseOptions } from '@nestjs/swagger';
import { ApiError } from '../http/errors/api-error.js';
import { failure, success } from '../http/envelope.js';
import { ERROR_CODES, type ErrorCode } from '../http/errors/error-codes.js';
import { FailureDto } from './failure.dto.js';
import { successOf } from './success.dto.js';

/** The errors of every route that requires a principal. */
export const AUTHENTICATED: ErrorCode[] = [
  'ambiguous_credentials',
  'unauthenticated',
  'ip_not_allowed',
  'rate_limited',
  'internal',
  'unavailable',
];
/** The errors of every route that manages keys. */
export const MANAGEMENT: ErrorCode[] = [...AUTHENTICATED, 'insufficient_scope', 'usage_exceeded'];
/** The errors of every route for the platform's services. */
export const FOR_SERVICES: ErrorCode[] = ['ambiguous_credentials', 'unauthenticated', 'internal', 'unavailable'];
/** The errors of every route that reads a body. */
export const WITH_BODY: ErrorCode[] = [
  'malformed_json',
  'validation_failed',
  'payload_too_large',
  'unsupported_media_type',
];

/** The errors of every route that accepts an `Idempotency-Key`. */
export const WITH_IDEMPOTENCY_KEY: ErrorCode[] = ['idempotency_key_in_use', 'idempotency_key_reused'];

const EXAMPLE_REQUEST_ID = '0f2d9b1e-6c1f-4a57-9d0e-3f7c5b8a9e42';

/**
 * Documents the 200 response: the envelope with `data`, as a schema of its own.
 *
 * @param headers besides those of every response (`headers.ts`)
 */
export function ApiSuccess<T>(
  data: Type<T>,
  description: string,
  example: T,
  headers: ApiResponseOptions['headers'] = {},
): MethodDecorator {
  return ApiResponse({ status: 200, description, headers, type: successOf(data), example: success(example) });
}

/** Documents the errors of a route by status, each with an example. */
export function ApiErrors(...codes: ErrorCode[]): MethodDecorator {
  return ApiErrorsWithHeaders({}, ...codes);
}

/** The same for a route whose errors have headers of their own. @param headers by status */
export function ApiErrorsWithHeaders(
  headers: Record<number, ApiResponseOptions['headers']>,
  ...codes: ErrorCode[]
): MethodDecorator {
  const statuses = new Set(codes.map((code) => ERROR_CODES[code].status));
  const documentStatus = (status: number) => {
    const group = codes.filter((code) => ERROR_CODES[code].status === status);
    return ApiResponse({
      status,
      description: group.map((code) => `\`${code}\`: ${ERROR_CODES[code].when}`).join('\n\n'),
      type: FailureDto,
      ...(headers[status] && { headers: headers[status] }),
      examples: Object.fromEntries(group.map((code) => [code, exampleOf(code)])),
    });
  };
  return applyDecorators(...[...statuses].map((status) => documentStatus(status)));
}

function exampleOf(code: ErrorCode) {
  const error = new ApiError(code, ERROR_CODES[code].when, EXTRAS[code]);
  return { summary: code, value: failure(error, EXAMPLE_REQUEST_ID) };
}

const EXTRAS: Partial<Record<ErrorCode, ConstructorParameters<typeof ApiError>[2]>> = {
  validation_failed: { details: [{ path: 'scopes.data.pin_list', message: 'must be true or false' }] },
  unauthenticated: { verdict: 'INVALID_CREDENTIALS' },
};
