import { Module } from '@nestjs/common';
import { IdempotentAnswers } from './idempotent-answers.js';

/** The same request again gets the same answer, and makes nothing new. */
@Module({ providers: [IdempotentAnswers], exports: [IdempotentAnswers] })
export class IdempotencyModule {}
