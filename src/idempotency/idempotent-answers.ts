import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../principals/caller.js';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AnswerCipher, answerKey } from './answer-cipher.js';
import { type AnswerRow, AnswerRows, type Claim } from './answer-rows.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './errors.js';

/** Two requests of one caller are the same if these are equal. */
export interface SameRequest {
  /** The operation, and the id of its resource. */
  call: readonly string[];
  body: object;
}

/** A request that takes effect once, however often it is repeated. */
export interface IdempotentRequest<T> extends SameRequest {
  caller: Caller;
  /** `undefined` if the client sent none. */
  idempotencyKey: string | undefined;
  /** The pair that the request authenticates with and invalidates: see `findForReplacedPair()`. */
  replacedPair?: KeyPair | undefined;
  /**
   * Checks that the caller may still be given the earlier answer, which contains a secret: it may have been revoked while
   * its call was in flight. @throws ApiError if not
   */
  assertStillAllowed: (earlier: T) => Promise<void>;
}

/** Where the answer to a request is stored. */
export interface AnswerSlot<T> {
  /**
   * Stores the answer in the transaction of the change that it reports: both commit, or neither.
   *
   * @throws IdempotencyKeyInUseError if the request took so long that its claim expired, and another one took it over
   */
  store(tx: EntityManager, answer: T): Promise<void>;
}

/**
 * Answers the same request with the same answer, secrets included, for ten minutes (the `Idempotency-Key` header;
 * draft-ietf-httpapi-idempotency-key-header).
 */
@Injectable()
export class IdempotentAnswers {
  private readonly answerKeys: readonly Buffer[];

  constructor(
    private readonly rows: AnswerRows,
    @Inject(ENVIRONMENT) { serverKeys }: Environment,
  ) {
    this.answerKeys = serverKeys.map(answerKey);
  }

  /**
   * Serves a request, or returns the answer that was given to the same request before.
   *
   * @param serve has to store its answer in the slot, in its transaction, as `KeyTransactions.run()` does; there is no slot
   *   without an `Idempotency-Key`
   * @throws IdempotencyKeyInUseError, IdempotencyKeyReusedError
   */
  async once<T extends object>(request: IdempotentRequest<T>, serve: (slot?: AnswerSlot<T>) => Promise<T>): Promise<T> {
    const ciphers = this.ciphersOf(request);
    const [cipher] = ciphers;
    if (!cipher) return serve();
    const earlier = await this.find<T>(ciphers, request);
    if (earlier) return earlier;
    const claim = await this.rows.claim(cipher.id, cipher.fingerprint(request.body));
    if (!claim) return this.findOther(ciphers, request);
    const store = (tx: EntityManager, answer: T) => this.store(tx, { claim, cipher }, request, answer);
    try {
      return await serve({ store });
    } catch (error) {
      // A claim that cannot be released expires; the client needs the error of its request
      await this.rows.release(claim).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Finds the answer to a request that invalidated the pair it authenticated with, as a key's rotation of itself does,
   * for a retry with that pair. The row's id and the encryption are derived from the pair and the `Idempotency-Key`: only
   * a caller that has both can find the answer. A different request finds nothing either, without an error.
   *
   * Does not check whether the caller may still be given the answer.
   */
  async findForReplacedPair<T>(
    request: SameRequest & { replacedPair: KeyPair; idempotencyKey: string },
  ): Promise<T | undefined> {
    const found = await this.read(this.ciphersOfReplacedPair(request));
    const isSame = found && isEqual(found.cipher.fingerprint(request.body), found.row.fingerprint);
    if (!isSame || !found.row.answer) return undefined;
    return JSON.parse(found.cipher.decrypt(found.row.answer)) as T;
  }

  private async store<T>(
    tx: EntityManager,
    { claim, cipher }: { claim: Claim; cipher: AnswerCipher },
    request: IdempotentRequest<T>,
    answer: T,
  ): Promise<void> {
    const text = JSON.stringify(answer);
    if (!(await this.rows.fill(tx, claim, cipher.encrypt(text)))) throw new IdempotencyKeyInUseError();
    const [byPair] = this.ciphersOfReplacedPair(request);
    if (byPair) await this.rows.store(tx, byPair.id, byPair.fingerprint(request.body), byPair.encrypt(text));
  }

  private ciphersOf({ caller, call, idempotencyKey }: IdempotentRequest<never>): AnswerCipher[] {
    return this.ciphersFor([caller.ownerId, caller.key?.id ?? '', ...call], idempotencyKey);
  }

  private ciphersOfReplacedPair(
    request: Pick<IdempotentRequest<never>, 'replacedPair' | 'call' | 'idempotencyKey'>,
  ): AnswerCipher[] {
    const { replacedPair: pair, call, idempotencyKey } = request;
    // The text is part of the ids of stored answers
    return pair ? this.ciphersFor(['ended pair', pair.apiKey, pair.secretKey, ...call], idempotencyKey) : [];
  }

  /** One for each server key: the answer may have been stored before they were rotated. */
  private ciphersFor(scope: readonly string[], idempotencyKey: string | undefined): AnswerCipher[] {
    if (idempotencyKey === undefined) return [];
    return this.answerKeys.map((key) => new AnswerCipher(key, scope, idempotencyKey));
  }

  private async read(ciphers: readonly AnswerCipher[]): Promise<{ cipher: AnswerCipher; row: AnswerRow } | undefined> {
    const row = await this.rows.find(ciphers.map(({ id }) => id));
    const cipher = row && ciphers.find(({ id }) => id.equals(row.id));
    return row && cipher && { cipher, row };
  }

  /** Another request has the claim: its answer is there by now, or not yet. */
  private async findOther<T>(ciphers: readonly AnswerCipher[], request: IdempotentRequest<T>): Promise<T> {
    const answer = await this.find<T>(ciphers, request);
    if (!answer) throw new IdempotencyKeyInUseError();
    return answer;
  }

  private async find<T>(
    ciphers: readonly AnswerCipher[],
    { body, assertStillAllowed }: IdempotentRequest<T>,
  ): Promise<T | undefined> {
    const found = await this.read(ciphers);
    if (!found) return undefined;
    const { cipher, row } = found;
    if (!isEqual(cipher.fingerprint(body), row.fingerprint)) throw new IdempotencyKeyReusedError();
    if (!row.answer) throw new IdempotencyKeyInUseError();
    const earlier = JSON.parse(cipher.decrypt(row.answer)) as T;
    await assertStillAllowed(earlier);
    return earlier;
  }
}

/** Compares two digests in constant time. */
function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
