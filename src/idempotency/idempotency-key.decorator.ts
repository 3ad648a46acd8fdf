import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ValidationError } from '../http/errors/api-error.js';
import { headerValues } from '@w3ipfs/api-keys-guard/decision';

const MAX_LENGTH = 255;

/** The request's `Idempotency-Key`; `undefined` if there is none. @throws ValidationError */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined =>
  idempotencyKeyOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** @throws ValidationError */
export function idempotencyKeyOf({ raw }: FastifyRequest): string | undefined {
  const values = headerValues(raw, 'idempotency-key');
  const [key] = values;
  if (values.length > 1 || (key !== undefined && (key.length < 1 || key.length > MAX_LENGTH))) {
    throw new ValidationError([
      { path: 'Idempotency-Key', message: `must be given once, with 1 to ${MAX_LENGTH} characters` },
    ]);
  }
  return key;
}

export function ApiIdempotencyKey(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A unique value of your choice: a retry with it within ten minutes gets the same answer',
      schema: { type: 'string', minLength: 1, maxLength: MAX_LENGTH },
    }),
  );
}
