import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { parseJsonBody } from './json-body.js';

/** Parses the body once the guards have let its sender in: no stranger's is, but where a route is open to all. */
@Injectable()
export class JsonBodyInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (Buffer.isBuffer(request.body)) request.body = parseJsonBody(request.body);
    return next.handle();
  }
}
