import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '../errors/api-error.js';
import type { BodyBounds } from './body-bounds.js';
import { tooLarge } from './body-receiver.js';

/** A problem with a body by what its headers say of it; `undefined` if there is none. */
export function declaredBodyProblem(
  headers: IncomingHttpHeaders,
  mediaType: string | undefined,
  bounds: BodyBounds,
): ApiError | undefined {
  if (mediaType !== 'application/json' && !isChunked(headers)) return notJson();
  if (isEncoded(headers)) {
    return new ApiError('unsupported_media_type', 'Send the body as JSON in UTF-8, not compressed.');
  }
  return Number(headers['content-length']) > bounds.bytes ? tooLarge(bounds) : undefined;
}

export function notJson(): ApiError {
  return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
}

export function isChunked(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** Whether the body is compressed, or declares a character set other than UTF-8. */
function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  const charsets = (headers['content-type'] ?? '').matchAll(/charset="?([^";\s]*)/gi);
  const areUtf8 = [...charsets].every(([, charset = '']) => /^utf-?8$/i.test(charset));
  return encoding !== 'identity' || !areUtf8;
}
