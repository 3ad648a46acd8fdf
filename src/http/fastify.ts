import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** The Fastify instance, to add hooks to; `undefined` in the operator's commands, which run without a server. */
export function fastifyOf({ httpAdapter }: HttpAdapterHost): FastifyInstance | undefined {
  return httpAdapter?.getInstance<FastifyInstance | undefined>();
}
