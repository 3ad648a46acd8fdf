import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { ValidationError } from '../errors/api-error.js';
import { parseJsonBody } from './json-body.js';
import { takes } from '../validation/takes.js';

/** Parses the body once the guards have let its sender in: no stranger's is, but where a route is open to all. */
@Injectable()
export class JsonBodyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!Buffer.isBuffer(request.body)) return next.handle();
    request.body = parseJsonBody(request.body);
    if (!takes(context, RouteParamtypes.BODY)) refuseMembers((request.body as object | undefined) ?? {});
    return next.handle();
  }
}

/** What is asked for in a body that nobody reads would not be done, without a word. */
function refuseMembers(body: object): void {
  const names = Object.keys(body);
  if (names.length === 0) return;
  throw new ValidationError(names.map((path) => ({ path, message: 'is not known: this route takes no body' })));
}
