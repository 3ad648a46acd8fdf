import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AllowedMethods } from './allowed-methods.js';
import { FastPath } from './fast-path.js';
import { RequestEvents } from './request-events.js';
import { JsonBodyInterceptor } from './body/json-body.interceptor.js';
import { RequestBodies } from './body/request-bodies.js';
import { ClientAddress } from './client-address.js';
import { ErrorResponses } from './errors/error-responses.js';
import { ErrorFilter } from './errors/error.filter.js';
import { ConnectionLimit } from './load/connection-limit.js';
import { LoadShedding } from './load/load-shedding.js';
import { UnknownQueryInterceptor } from './validation/unknown-query.interceptor.js';
import { ValidationPipe } from './validation/validation.pipe.js';

/** What all requests and responses have in common. The providers stand in the order in which a request meets them. */
@Module({
  providers: [
    ConnectionLimit,
    {
      provide: ClientAddress,
      inject: [ENVIRONMENT],
      useFactory: (environment: Environment) => new ClientAddress(environment),
    },
    FastPath,
    RequestEvents,
    AllowedMethods,
    LoadShedding,
    RequestBodies,
    { provide: APP_INTERCEPTOR, useClass: UnknownQueryInterceptor },
    { provide: APP_INTERCEPTOR, useClass: JsonBodyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
    ErrorResponses,
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
  exports: [ClientAddress, RequestBodies, LoadShedding, RequestEvents, FastPath],
})
export class HttpModule {}
