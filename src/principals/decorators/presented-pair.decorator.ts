import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { KeyPair } from '../key-pair.js';
import { presentedCredentials } from '../presented-credentials.js';

/** Hands a handler the pair that its guard has let in; `undefined` for a session. */
export const PresentedPair = createParamDecorator((_: unknown, context: ExecutionContext): KeyPair | undefined => {
  const presented = presentedCredentials(context.switchToHttp().getRequest<FastifyRequest>().raw);
  return 'pair' in presented ? presented.pair : undefined;
});

/** Marks the rotation: of this call alone the answer is given once more by the pair that it ended (`LostRotations`). */
export const ReplayableRotation = Reflector.createDecorator<void, true>({ transform: () => true });
