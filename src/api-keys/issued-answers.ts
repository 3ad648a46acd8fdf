import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { success, type Success } from '../http/envelope.js';
import { IdempotentAnswers, type IdempotentRequest } from '../idempotency/idempotent-answers.js';
import type { Alongside, IssuedKey } from './api-keys.service.js';
import { sendTagged, type Tagged, tagged } from './etag.js';

/** Answers calls that give a new secret: the same for the same `Idempotency-Key`, with the key's tag in a header. */
@Injectable()
export class IssuedAnswers {
  constructor(private readonly idempotentAnswers: IdempotentAnswers) {}

  /**
   * @param dto what the answer shows of the key
   * @param act has to do what it is handed in its transaction
   * @throws whatever `IdempotentAnswers.once()` and `act` throw
   */
  async answer<T extends object>(
    request: IdempotentRequest<Tagged<Success<T>>>,
    reply: FastifyReply,
    dto: { of(issued: IssuedKey): T },
    act: (alongside: Alongside) => Promise<IssuedKey>,
  ): Promise<Success<T>> {
    const answerOf = (issued: IssuedKey) => tagged(success(dto.of(issued)), issued.apiKey);
    const kept = await this.idempotentAnswers.once(request, async (keep) =>
      answerOf(await act((tx, issued) => keep(tx, answerOf(issued)))),
    );
    return sendTagged(kept, reply);
  }
}
