import type { IncomingHttpHeaders } from 'node:http';
import { NotFoundException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../errors/api-error.js';
import { tooLarge } from './body-receiver.js';
import { traitsOf } from '../route-config.js';
import { BODY_LIMIT } from './json-body.js';
import { hasBody } from './unread-body.js';

/** Fastify reads no body after these, nor do we. */
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'TRACE']);

/** What the headers of a request reveal to be wrong with its body, before any of it is read. */
export function bodyProblem(request: FastifyRequest): Error | undefined {
  if (!hasBody(request.raw) || WITHOUT_BODY.has(request.method)) return undefined;
  if (traitsOf(request.routeOptions.config).ignoresBody) return undefined;
  if (request.is404) return new NotFoundException();
  if (request.mediaType !== 'application/json' && !isChunked(request.headers)) return notJson();
  if (isEncoded(request.headers)) {
    return new ApiError('unsupported_media_type', 'Send the body as JSON in UTF-8, not compressed.');
  }
  return Number(request.headers['content-length']) > BODY_LIMIT ? tooLarge() : undefined;
}

/**
 * An empty body has no type, whatever is said of it (`curl -d ''`, PowerShell): what reads the type of a body finds none.
 * In chunks, of which there may be none, whatever is not JSON has none either, and is refused if there is anything.
 */
export function dropTypeOfEmptyBody(request: FastifyRequest): void {
  const { headers } = request.raw;
  const mayBeNothing = isChunked(headers) && request.mediaType !== 'application/json';
  if (!hasBody(request.raw) || mayBeNothing) delete headers['content-type'];
}

export function notJson(): ApiError {
  return new ApiError('unsupported_media_type', 'Send the body as Content-Type: application/json.');
}

function isChunked(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** Bodies are JSON in UTF-8 as they are: neither compressed nor in another character set. */
function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  const charsets = (headers['content-type'] ?? '').matchAll(/charset="?([^";\s]*)/gi);
  const areUtf8 = [...charsets].every(([, charset = '']) => /^utf-?8$/i.test(charset));
  return encoding !== 'identity' || !areUtf8;
}
