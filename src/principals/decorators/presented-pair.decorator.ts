import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { presentedCredentials } from '../presented-credentials.js';

/** The key pair that the guard admitted; `undefined` for a session. */
export const PresentedPair = createParamDecorator((_: unknown, context: ExecutionContext): KeyPair | undefined => {
  const presented = presentedCredentials(context.switchToHttp().getRequest<FastifyRequest>().raw);
  return 'pair' in presented ? presented.pair : undefined;
});

/** Marks the rotation, the only call whose response is repeated for the pair that it replaced (`LostRotations`). */
export const ReplayableRotation = Reflector.createDecorator<void, true>({ transform: () => true });
