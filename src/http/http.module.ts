import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AllowedMethods } from './allowed-methods.js';
import { FastPath } from './fast-path.js';
import { RequestEvents } from './request-events.js';
import { JsonBodyInterceptor } from './body/json-body.interceptor.js';
import { RequestBodies } from './body/request-bodies.js';
import { ClientAddress } from './client-address.js';
import { ErrorAnswers } from './errors/error-answers.js';
import { ErrorFilter } from './errors/error.filter.js';
import { ConnectionLimit } from './load/connection-limit.js';
import { LoadShedding } from './load/load-shedding.js';
import { UnknownQueryInterceptor } from './validation/unknown-query.interceptor.js';
import { ValidationPipe } from './validation/validation.pipe.js';

/** Handles what every request and every response has in common. */
@Module({
  providers: [
    ClientAddress,
    RequestBodies,
    AllowedMethods,
    ErrorAnswers,
    ConnectionLimit,
    RequestEvents,
    LoadShedding,
    FastPath,
    { provide: APP_FILTER, useClass: ErrorFilter },
    { provide: APP_INTERCEPTOR, useClass: UnknownQueryInterceptor },
    { provide: APP_INTERCEPTOR, useClass: JsonBodyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
  exports: [ClientAddress, RequestBodies, LoadShedding, RequestEvents, FastPath],
})
export class HttpModule {}
