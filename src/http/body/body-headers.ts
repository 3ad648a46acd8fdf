import type { IncomingHttpHeaders } from 'node:http';
import { NotFoundException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors/api-error.js';
import { tooLarge } from './body-receiver.js';
import { bodyBoundsOf, traitsOf } from '../route-config.js';
import { hasBody } from './unread-body.js';

/** Methods whose bodies Fastify does not read. */
const METHODS_WITHOUT_BODY = new Set(['GET', 'HEAD', 'TRACE']);

/** A problem with the body that its headers reveal before any of it is read; `undefined` if there is none. */
export function bodyProblem(request: FastifyRequest): Error | undefined {
  if (!hasBody(request.raw) || METHODS_WITHOUT_BODY.has(request.method)) return undefined;
  if (traitsOf(request.routeOptions.config).ignoresBody) return undefined;
  if (request.is404) return new NotFoundException();
  if (request.mediaType !== 'application/json' && !isChunked(request.headers)) return notJson();
  if (isEncoded(request.headers)) {
    return new ApiError('unsupported_media_type', 'Send the body as JSON in UTF-8, not compressed.');
  }
  const bounds = bodyBoundsOf(request.routeOptions.config);
  return Number(request.headers['content-length']) > bounds.bytes ? tooLarge(bounds) : undefined;
}

/**
 * Removes the type of an empty body, which some clients declare (`curl -d ''`, PowerShell). A chunked body may be empty,
 * too: if it is not declared as JSON, it is read without a type, and rejected unless it is empty.
 */
export function dropEmptyBodyType(request: FastifyRequest): void {
  const { headers } = request.raw;
  const mayBeEmpty = isChunked(headers) && request.mediaType !== 'application/json';
  if (!hasBody(request.raw) || mayBeEmpty) delete headers['content-type'];
}

export function notJson(): ApiError {
  return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
}

function isChunked(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** Whether the body is compressed, or declares a character set other than UTF-8. */
function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  const charsets = (headers['content-type'] ?? '').matchAll(/charset="?([^";\s]*)/gi);
  const areUtf8 = [...charsets].every(([, charset = '']) => /^utf-?8$/i.test(charset));
  return encoding !== 'identity' || !areUtf8;
}
