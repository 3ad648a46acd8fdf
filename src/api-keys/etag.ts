import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ValidationError } from '../http/errors/api-error.js';
import { headerValues } from '@w3ipfs/api-keys-guard/decision';
import type { ApiKey } from './api-key.entity.js';

const TAG = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`;
/** Empty elements of a list are ignored (RFC 9110, 5.6.1.2). */
const TAGS = new RegExp(String.raw`^[\s,]*${TAG}(?:\s*,[\s,]*${TAG})*[\s,]*$`);

/** The entity tag of a key (RFC 9110, 8.8.3). Its uses are not part of it. */
export function etagOf({ version }: Pick<ApiKey, 'version'>): string {
  return `"${version}"`;
}

/** An answer that shows a key, with the key's tag, as both are stored for retries (`IdempotentAnswers`). */
export type Tagged<T extends object> = T & { etag?: string };

export function tagged<T extends object>(answer: T, key: Pick<ApiKey, 'version'>): Tagged<T> {
  return { ...answer, etag: etagOf(key) };
}

/** The answer as it is sent, its tag in a header. Answers stored by earlier versions have no tag. */
export function untagged<T extends object>({ etag, ...answer }: Tagged<T>) {
  return { answer, headers: etag === undefined ? undefined : { ETag: etag } };
}

/**
 * The versions that `If-Match` (RFC 9110, 13.1.1) allows; `undefined` for any. Tags that are weak or of another resource
 * match no version.
 *
 * @throws ValidationError unless it is `*` or a list of entity tags
 */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number[] | undefined =>
  versionsIn(headerValues(context.switchToHttp().getRequest<FastifyRequest>().raw, 'if-match')),
);

/** @param values of the header, none if the client sent none @throws ValidationError */
export function versionsIn(values: readonly string[]): number[] | undefined {
  const given = values.join(',').trim();
  if (values.length === 0 || given === '*') return undefined;
  if (!TAGS.test(given)) {
    throw new ValidationError([{ path: 'If-Match', message: 'must be * or the ETag of the key, in quotes' }]);
  }
  const tags = given.match(new RegExp(TAG, 'g')) ?? [];
  return tags.map((tag) => Number(/^"([1-9]\d{0,8})"$/.exec(tag)?.[1] ?? Number.NaN));
}

/** Documents the header of an answer that shows a key. */
export const ETAG = {
  ETag: {
    description: 'The version of the key (RFC 9110, 8.8.3), for `If-Match`; its uses are not part of it',
    required: true,
    schema: { type: 'string' as const, example: '"1"' },
  },
};

export function ApiIfMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` of the key as you read it: if the key has changed since, it is left unchanged (412)',
      schema: { type: 'string', example: '"1"' },
    }),
  );
}
