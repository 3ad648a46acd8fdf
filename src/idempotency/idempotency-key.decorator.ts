import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ValidationError } from '../http/errors/api-error.js';
import { headerValues } from '../http/header-values.js';

const LONGEST = 255;

/** Hands a handler the request's `Idempotency-Key`; `undefined` if there is none. @throws ValidationError */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string | undefined =>
  idempotencyKeyOf(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** @throws ValidationError */
export function idempotencyKeyOf({ raw }: FastifyRequest): string | undefined {
  const values = headerValues(raw, 'idempotency-key');
  const [key] = values;
  if (values.length > 1 || (key !== undefined && (key.length < 1 || key.length > LONGEST))) {
    throw new ValidationError([
      { path: 'Idempotency-Key', message: `must be there once, with 1 to ${LONGEST} characters` },
    ]);
  }
  return key;
}

export function ApiIdempotencyKey(): MethodDecorator {
  return applyDecorators(
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A word of your own for this request: sent again within ten minutes, it gets the very same answer',
      schema: { type: 'string', minLength: 1, maxLength: LONGEST },
    }),
  );
}
