import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { type Tagged, untagged } from './etag.js';

/** Moves the entity tag of an answer to the `ETag` header. */
@Injectable()
export class ETagInterceptor implements NestInterceptor<Tagged<object>> {
  intercept(context: ExecutionContext, next: CallHandler<Tagged<object>>): Observable<object> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((tagged) => {
        const { answer, headers } = untagged(tagged);
        if (headers) reply.headers(headers);
        return answer;
      }),
    );
  }
}
