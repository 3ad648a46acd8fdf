import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { traitsOf } from '../route-config.js';
import { refuseQuery } from './query-parameters.js';
import { isReservedName } from '../body/reserved-names.js';
import { hasParameter } from './handler-parameters.js';

/**
 * Rejects query parameters on routes that have none. Otherwise the DTO rejects unknown ones, except for reserved names,
 * which never reach it. Health checks and metrics ignore the parameters that balancers and scrapers add.
 */
@Injectable()
export class UnknownQueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { url, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const { load, isForServices, readsQuery } = traitsOf(routeOptions.config);
    if (url.includes('?') && !readsQuery && (load === 'management' || (load === 'verification' && isForServices)))
      refuseQuery(url, hasParameter(context, RouteParamtypes.QUERY) ? isReservedName : undefined);
    return next.handle();
  }
}
