import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Caller } from '../caller.js';
import type { AdmittedRequest } from '../caller-request.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<AdmittedRequest>();

/** The principal that the guards admitted. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).user,
);

/** The same for changes of keys: the owner, the key with the generation of the presented secret, and the source. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user, source } = requestOf(context);
  return { ownerId: user.ownerId, key: user.apiKey, source };
});

/** The source of a call, for routes without a principal. */
export const CurrentSource = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).source);
