import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { traitsOf } from '../route-config.js';
import { refuseQuery } from './query-parameters.js';
import { isReservedName } from '../body/reserved-names.js';
import { takes } from './takes.js';

/**
 * Refuses parameters in the query of a route that takes none; where it takes some, its DTO does, but for the
 * names that never reach it. Health and metrics, which are outside the prefix, bear with what balancers and scrapers add.
 */
@Injectable()
export class UnknownQueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { url, routeOptions } = context.switchToHttp().getRequest<FastifyRequest>();
    const { load, isForServices } = traitsOf(routeOptions.config);
    if (url.includes('?') && (load === 'management' || isForServices))
      refuseQuery(url, takes(context, RouteParamtypes.QUERY) ? isReservedName : undefined);
    return next.handle();
  }
}
