import type { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** The server, for whoever has a hook to add to it; there is none where the operator's commands run. */
export function fastifyOf({ httpAdapter }: HttpAdapterHost): FastifyInstance | undefined {
  return httpAdapter?.getInstance<FastifyInstance | undefined>();
}
