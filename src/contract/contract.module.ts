import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AllowedMethods } from './allowed-methods.js';
import { ErrorAnswers } from './error-answers.js';
import { ErrorFilter } from './error.filter.js';
import { UnknownQueryInterceptor } from './unknown-query.interceptor.js';
import { createValidationPipe } from './validation.pipe.js';

/** What holds for every request and every answer, whatever it is about. */
@Module({
  providers: [
    AllowedMethods,
    ErrorAnswers,
    { provide: APP_FILTER, useClass: ErrorFilter },
    { provide: APP_INTERCEPTOR, useClass: UnknownQueryInterceptor },
    { provide: APP_PIPE, useFactory: createValidationPipe },
  ],
})
export class ContractModule {}
