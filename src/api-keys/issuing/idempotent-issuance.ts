import { Injectable } from '@nestjs/common';
import { IdempotentAnswers } from '../../idempotency/idempotent-answers.js';
import type { Caller } from '../../principals/caller.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { ApiKeysService } from '../api-keys.service.js';
import { type CreateApiKeyDto, toKeyRequest } from '../dto/create-api-key.dto.js';
import type { RotateApiKeyDto } from '../dto/rotate.dto.js';
import { type IssuedAnswer, KeyIssuer, type RotatedAnswer } from './key-issuer.js';
import type { MutationTarget } from '../key-mutations.js';
import { rotationRequest } from './rotation-request.js';

interface RotateCommand extends MutationTarget {
  body: RotateApiKeyDto;
  /** The pair that the caller authenticated with; `undefined` for a session. */
  pair: KeyPair | undefined;
}

/** Issues and rotates keys for clients that may retry: the same `Idempotency-Key` gets the same answer. */
@Injectable()
export class IdempotentIssuance {
  constructor(
    private readonly answers: IdempotentAnswers,
    private readonly issuer: KeyIssuer,
    private readonly apiKeys: ApiKeysService,
  ) {}

  /** @throws as `IdempotentAnswers.once()` and `KeyIssuer.issue()` */
  issue(caller: Caller, body: CreateApiKeyDto, idempotencyKey: string | undefined): Promise<IssuedAnswer> {
    const assertStillAllowed = () => this.apiKeys.assertStillAllowed(caller);
    const request = { caller, call: ['create'], body, idempotencyKey, assertStillAllowed };
    return this.answers.once(request, (slot) => this.issuer.issue(caller, toKeyRequest(body), slot));
  }

  /** @throws as `IdempotentAnswers.once()` and `KeyIssuer.rotate()` */
  rotate(
    caller: Caller,
    { id, versions, body, pair }: RotateCommand,
    idempotencyKey: string | undefined,
  ): Promise<RotatedAnswer> {
    const replacedPair = caller.key?.id === id ? pair : undefined;
    const assertStillAllowed = ({ data }: RotatedAnswer) =>
      replacedPair ? this.issuer.assertOwnRotation(caller, data.secret_key) : this.apiKeys.assertStillAllowed(caller);
    const request = { ...rotationRequest(id, body), caller, idempotencyKey, replacedPair, assertStillAllowed };
    const options = { id, versions, overlapSeconds: body.overlap_seconds ?? 0 };
    return this.answers.once(request, (slot) => this.issuer.rotate(caller, options, slot));
  }
}
