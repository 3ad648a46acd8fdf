import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Caller } from '../caller.js';
import type { AdmittedRequest } from '../caller-request.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<AdmittedRequest>();

/** The principal that the guards have admitted. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).user,
);

/** The same as changes of keys need it: the owner, the key with the secret that was presented, and the source. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user, source } = requestOf(context);
  return { ownerId: user.ownerId, key: user.apiKey, source };
});

/** Where a call comes from, for routes without a principal. */
export const CurrentSource = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).source);
