import { Injectable } from '@nestjs/common';
import { success, type Success } from '../../http/envelope.js';
import type { AnswerSlot } from '../../idempotency/idempotent-answers.js';
import type { Caller } from '../../principals/caller.js';
import { ApiKeysService } from '../api-keys.service.js';
import { mintApiKey } from '../credentials/credentials.js';
import { SecretMint } from '../credentials/secret-mint.js';
import { IssuedApiKeyDto, RotatedApiKeyDto } from '../dto/api-key.dto.js';
import { assertNotStronger } from '../escalation.js';
import { type Tagged, tagged } from '../etag.js';
import { KeyTransactions } from '../invalidation/key-transactions.js';
import type { UnitOfWork } from '../invalidation/unit-of-work.js';
import { KeyMutations, type MutationTarget } from '../key-mutations.js';
import { assertFuture } from '../key-patch.js';
import { withNewSecret } from './key-rotation.js';
import { type KeyRequest, KeyWriter } from './key-writer.js';

/** The answer to a caller that gets a new secret, with the key's entity tag, as it is stored for retries. */
export type IssuedAnswer = Tagged<Success<IssuedApiKeyDto>>;
export type RotatedAnswer = Tagged<Success<RotatedApiKeyDto>>;

export interface RotateOptions extends MutationTarget {
  /** For how long the previous secret stays valid; 0 to 604,800. */
  overlapSeconds: number;
}

/**
 * Gives out new secrets, by issuing and by rotating keys. A secret is hashed before the transaction begins, which would
 * otherwise keep the owner's row locked meanwhile.
 */
@Injectable()
export class KeyIssuer {
  constructor(
    private readonly transactions: KeyTransactions,
    private readonly mint: SecretMint,
    private readonly keyWriter: KeyWriter,
    private readonly mutations: KeyMutations,
    private readonly apiKeys: ApiKeysService,
  ) {}

  /**
   * @param slot where the answer is stored, if the request is idempotent
   * @throws ExceedsIssuerError if the key would have more than the key that issues it; KeyLimitReachedError;
   *   ValidationError if a date has passed, or the key could never be used; ApiError if the caller may no longer issue keys
   */
  async issue(caller: Caller, request: KeyRequest, slot?: AnswerSlot<IssuedAnswer>): Promise<IssuedAnswer> {
    assertFuture(request.limits);
    const secret = await this.mint.mint(mintApiKey());
    const issueIn = async (uow: UnitOfWork) => {
      const key = await this.keyWriter.insert(uow.tx, caller, secret, request);
      return tagged(success(IssuedApiKeyDto.of({ key, secretKey: secret.secretKey })), key);
    };
    return this.transactions.run(caller.ownerId, issueIn, slot);
  }

  /**
   * Gives the key a new secret. The previous one stays valid until the overlap ends or the key expires, whichever comes
   * first; the one before it becomes invalid.
   *
   * @param slot where the answer is stored, if the request is idempotent
   * @throws ApiKeyNotFoundError, PreconditionFailedError; ExceedsIssuerError if the caller's key is the weaker one
   */
  async rotate(
    caller: Caller,
    { overlapSeconds, ...target }: RotateOptions,
    slot?: AnswerSlot<RotatedAnswer>,
  ): Promise<RotatedAnswer> {
    const { identifier } = await this.apiKeys.get(caller.ownerId, target.id);
    const secret = await this.mint.mint(identifier);
    const rotateIn = async (uow: UnitOfWork) => {
      const key = await this.mutations.apply(uow, caller, target, (current, callingKey, now) => {
        if (callingKey && callingKey.id !== current.id) assertNotStronger(current, callingKey);
        const columns = withNewSecret(current, secret, overlapSeconds, now);
        const changes = { previous_secret_expires_at: columns.previousSecretExpiresAt };
        return { action: 'key.rotated', changes, columns };
      });
      return tagged(success(RotatedApiKeyDto.of({ key, secretKey: secret.secretKey })), key);
    };
    return this.transactions.run(caller.ownerId, rotateIn, slot);
  }

  /**
   * That a key may be given the answer to an earlier rotation of itself. Its call may have been authenticated by the
   * secret that this rotation ended: it is allowed while the secret in the answer is the key's current one. @throws ApiError
   */
  async assertOwnRotation(caller: Caller, newSecret: string): Promise<void> {
    const row = caller.key && (await this.apiKeys.find(caller.ownerId, caller.key.id));
    const isRotated = row !== null && (await this.mint.isSecretOf(row, newSecret));
    await this.apiKeys.assertStillAllowed(isRotated ? { ...caller, key: row } : caller);
  }
}
