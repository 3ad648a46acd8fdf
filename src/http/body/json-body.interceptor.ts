import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { ValidationError } from '../errors/api-error.js';
import { parseJsonBody } from './json-body.js';
import { bodyBoundsOf } from '../route-config.js';
import { hasParameter } from '../validation/handler-parameters.js';

/** Parses the body after the guards: only public routes parse the bodies of unauthenticated senders. */
@Injectable()
export class JsonBodyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!Buffer.isBuffer(request.body)) return next.handle();
    request.body = parseJsonBody(request.body, bodyBoundsOf(request.routeOptions.config));
    if (!hasParameter(context, RouteParamtypes.BODY)) rejectMembers((request.body as object | undefined) ?? {});
    return next.handle();
  }
}

/** Rejects members that the route would silently ignore. */
function rejectMembers(body: object): void {
  const names = Object.keys(body);
  if (names.length === 0) return;
  throw new ValidationError(names.map((path) => ({ path, message: 'is not known: this route takes no body' })));
}
