import { Module } from '@nestjs/common';
import { AnswerRows } from './answer-rows.js';
import { IdempotentAnswers } from './idempotent-answers.js';

/** Answers to repeated requests. */
@Module({ providers: [AnswerRows, IdempotentAnswers], exports: [IdempotentAnswers] })
export class IdempotencyModule {}
