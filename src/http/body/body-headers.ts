import { NotFoundException } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { bodyBoundsOf, traitsOf } from '../route-config.js';
import { declaredBodyProblem, isChunked } from './declared-body.js';
import { hasBody } from './unread-body.js';

/** Methods whose bodies Fastify does not read. */
const METHODS_WITHOUT_BODY = new Set(['GET', 'HEAD', 'TRACE']);

/** A problem with the body that its headers reveal before any of it is read; `undefined` if there is none. */
export function bodyProblem(request: FastifyRequest): Error | undefined {
  if (!hasBody(request.raw) || METHODS_WITHOUT_BODY.has(request.method)) return undefined;
  if (traitsOf(request.routeOptions.config).ignoresBody) return undefined;
  if (request.is404) return new NotFoundException();
  return declaredBodyProblem(request.headers, request.mediaType, bodyBoundsOf(request.routeOptions.config));
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
