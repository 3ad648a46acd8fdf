import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AllowedMethods } from './allowed-methods.js';
import { ErrorAnswers } from './errors/error-answers.js';
import { ErrorFilter } from './errors/error.filter.js';
import { LimitsModule } from '../limits/limits.module.js';
import { JsonBodyInterceptor } from './body/json-body.interceptor.js';
import { RequestBodies } from './body/request-bodies.js';
import { UnknownQueryInterceptor } from './validation/unknown-query.interceptor.js';
import { ValidationPipe } from './validation/validation.pipe.js';

/** What holds for every request and every answer, whatever it is about. */
@Module({
  imports: [LimitsModule],
  providers: [
    RequestBodies,
    AllowedMethods,
    ErrorAnswers,
    { provide: APP_FILTER, useClass: ErrorFilter },
    { provide: APP_INTERCEPTOR, useClass: UnknownQueryInterceptor },
    { provide: APP_INTERCEPTOR, useClass: JsonBodyInterceptor },
    { provide: APP_PIPE, useClass: ValidationPipe },
  ],
  exports: [RequestBodies],
})
export class ContractModule {}
