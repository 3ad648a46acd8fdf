import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isGenuine } from '../api-keys/credentials/credentials.js';
import { credentialOf, type KeyPair } from '../principals/key-pair.js';
import { RotateApiKeyDto } from '../api-keys/dto/rotate.dto.js';
import type { RotatedAnswer } from '../api-keys/issuing/key-issuer.js';
import { rotationRequest } from '../api-keys/issuing/rotation-request.js';
import { parseJsonBody } from '../http/body/json-body.js';
import { refuseQuery } from '../http/validation/query-parameters.js';
import { ValidationPipe } from '../http/validation/validation.pipe.js';
import { idempotencyKeyOf } from '../idempotency/idempotency-key.decorator.js';
import { IdempotentAnswers } from '../idempotency/idempotent-answers.js';
import { ClientAddress } from '../http/client-address.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { ignoreClientError } from '../principals/refusal-errors.js';
import { presentedCredentials } from '../principals/presented-credentials.js';
import { CredentialKeyring } from '../api-keys/credentials/credential-keyring.js';

/**
 * Of one pair: whoever holds it and guesses `Idempotency-Key`s gets no further, and a client has no need of more. From
 * one network fewer, so that nobody elsewhere uses up the tries of the one whose answer was lost.
 */
const MAX_FAILED_ATTEMPTS = { requests: 100, windowSeconds: 600 };
const MAX_FAILED_ATTEMPTS_PER_NETWORK = { requests: 10, windowSeconds: 600 };

/** Finds the answer to a key's rotation of itself by the pair that the rotation has ended. */
@Injectable()
export class LostRotations {
  private readonly validation = new ValidationPipe();

  constructor(
    private readonly answers: IdempotentAnswers,
    private readonly rateLimiter: RateLimiter,
    private readonly clientAddress: ClientAddress,
    private readonly keyring: CredentialKeyring,
  ) {}

  /**
   * @returns `undefined` unless it is the same request, by the same pair and with the same `Idempotency-Key`
   * @throws UnavailableError, or what the database throws, if that cannot be told now
   */
  async find(request: FastifyRequest): Promise<RotatedAnswer | undefined> {
    const asked = await this.read(request).catch(ignoreClientError);
    if (!asked) return undefined;
    const digest = hash('sha256', credentialOf(asked.endedPair), 'base64url');
    const network = this.clientAddress.networkOf(request.raw);
    const ofNetwork = await this.rateLimiter.take(
      `lost-rotation:${digest}:${network}`,
      MAX_FAILED_ATTEMPTS_PER_NETWORK,
      1,
    );
    if (!ofNetwork.granted) return undefined;
    const ofAll = await this.rateLimiter.take(`lost-rotation:${digest}`, MAX_FAILED_ATTEMPTS, 1);
    if (!ofAll.granted) return undefined;
    const answer = await this.answers.findForEndedPair<RotatedAnswer>(asked);
    if (answer) await Promise.all([ofNetwork.refund(), ofAll.refund()]);
    return answer;
  }

  /** @returns what is asked, if it can be the same as before at all @throws ApiError likewise */
  private async read(request: FastifyRequest) {
    const idempotencyKey = idempotencyKeyOf(request);
    const endedPair = this.genuinePairOf(request);
    if (idempotencyKey === undefined || !endedPair) return undefined;
    refuseQuery(request.url);
    const body = Buffer.isBuffer(request.body) ? parseJsonBody(request.body) : undefined;
    const dto = await this.validation.transform(body, { type: 'body', metatype: RotateApiKeyDto });
    const { id } = request.params as { id: string };
    return { ...rotationRequest(id, dto as RotateApiKeyDto), idempotencyKey, endedPair };
  }

  /** One that was made up costs no more than it does anywhere. */
  private genuinePairOf({ raw }: FastifyRequest): KeyPair | undefined {
    const presented = presentedCredentials(raw);
    if (!('pair' in presented)) return undefined;
    return isGenuine(presented.pair, this.keyring.keys) ? presented.pair : undefined;
  }
}
