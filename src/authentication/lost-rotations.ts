import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isGenuine } from '../api-keys/credentials/credentials.js';
import { credentialOf, type KeyPair } from '@w3ipfs/api-keys-guard/decision';
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
 * Per pair: enough for clients, too few to guess an `Idempotency-Key` with a stolen pair. Fewer per network, so that
 * others cannot use up the attempts of the client whose response was lost.
 */
const MAX_FAILED_ATTEMPTS = { requests: 100, windowSeconds: 600 };
const MAX_FAILED_ATTEMPTS_PER_NETWORK = { requests: 10, windowSeconds: 600 };

/** Finds the stored response of a key's rotation of itself, by the pair that the rotation replaced. */
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
   * @returns `undefined` unless the request, the pair and the `Idempotency-Key` are the same
   * @throws UnavailableError, or the database's error, if that cannot be decided now
   */
  async find(request: FastifyRequest): Promise<RotatedAnswer | undefined> {
    const asked = await this.read(request).catch(ignoreClientError);
    if (!asked) return undefined;
    const digest = hash('sha256', credentialOf(asked.replacedPair), 'base64url');
    const network = this.clientAddress.networkOf(request.raw);
    const ofNetwork = await this.rateLimiter.take(
      `lost-rotation:${digest}:${network}`,
      MAX_FAILED_ATTEMPTS_PER_NETWORK,
      1,
    );
    if (!ofNetwork.granted) return undefined;
    const ofAll = await this.rateLimiter.take(`lost-rotation:${digest}`, MAX_FAILED_ATTEMPTS, 1);
    if (!ofAll.granted) return undefined;
    const answer = await this.answers.findForReplacedPair<RotatedAnswer>(asked);
    if (answer) await Promise.all([ofNetwork.refund(), ofAll.refund()]);
    return answer;
  }

  /** @returns the request to look for; `undefined` if it is no retry of a rotation @throws ApiError if it is invalid */
  private async read(request: FastifyRequest) {
    const idempotencyKey = idempotencyKeyOf(request);
    const replacedPair = this.genuinePairOf(request);
    if (idempotencyKey === undefined || !replacedPair) return undefined;
    refuseQuery(request.url);
    const body = Buffer.isBuffer(request.body) ? parseJsonBody(request.body) : undefined;
    const dto = await this.validation.transform(body, { type: 'body', metatype: RotateApiKeyDto });
    const { id } = request.params as { id: string };
    return { ...rotationRequest(id, dto as RotateApiKeyDto), idempotencyKey, replacedPair };
  }

  /** Ignores invalid pairs cheaply, as everywhere. */
  private genuinePairOf({ raw }: FastifyRequest): KeyPair | undefined {
    const presented = presentedCredentials(raw);
    if (!('pair' in presented)) return undefined;
    return isGenuine(presented.pair, this.keyring.keys) ? presented.pair : undefined;
  }
}
