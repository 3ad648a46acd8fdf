import { Module } from '@nestjs/common';
import { AnswerRows } from './answer-rows.js';
import { IdempotentAnswers } from './idempotent-answers.js';

/** The same request again gets the same answer, and makes nothing new. */
@Module({ providers: [AnswerRows, IdempotentAnswers], exports: [IdempotentAnswers] })
export class IdempotencyModule {}
