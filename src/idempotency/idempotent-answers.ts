import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../principals/caller.js';
import type { KeyPair } from '../principals/key-pair.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AnswerCipher, answerKey } from './answer-cipher.js';
import { type AnswerRow, AnswerRows } from './answer-rows.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './errors.js';

/** What makes two requests of one caller the same. */
export interface SameRequest {
  /** Which call it is, and of what. */
  call: readonly string[];
  body: object;
}

/** What a client wants to be done once, however often it has to ask. */
export interface IdempotentRequest<T> extends SameRequest {
  caller: Caller;
  /** `undefined` if the client sent none. */
  idempotencyKey: string | undefined;
  /** The pair that the request presents and ends: see `findForEndedPair()`. */
  endedPair?: KeyPair | undefined;
  /**
   * That the caller may still be given the earlier answer, which holds a secret: it may have been revoked since it was
   * let in. @throws ApiError if not
   */
  assertStillAllowed: (earlier: T) => Promise<void>;
}

/** Keeps the answer in the transaction of what it tells of: both are there, or neither. */
export type Keep<T> = (tx: EntityManager, answer: T) => Promise<void>;

/**
 * Gives the same request the same answer for ten minutes (the `Idempotency-Key` header;
 * draft-ietf-httpapi-idempotency-key-header), secrets included.
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
   * Does what is asked, or gives the answer that was given to the same request before.
   *
   * @param act has to hand its answer to `keep` in its transaction
   * @throws IdempotencyKeyInUseError, also if it took so long that somebody else has taken the place;
   *   IdempotencyKeyReusedError
   */
  async once<T extends object>(request: IdempotentRequest<T>, act: (keep: Keep<T>) => Promise<T>): Promise<T> {
    const ciphers = this.ciphersOf(request);
    const [cipher] = ciphers;
    if (!cipher) return act(() => Promise.resolve());
    const [beside] = this.ciphersOfEndedPair(request);
    const fingerprint = cipher.fingerprint(request.body);
    const earlier = await this.find<T>(ciphers, request);
    if (earlier) return earlier;
    const claim = await this.rows.claim(cipher.id, fingerprint);
    if (!claim) return this.findOther(ciphers, request);
    try {
      return await act(async (tx, answer) => {
        const text = JSON.stringify(answer);
        if (!(await this.rows.keep(tx, claim, cipher.encrypt(text)))) throw new IdempotencyKeyInUseError();
        if (beside) await this.rows.store(tx, beside.id, beside.fingerprint(request.body), beside.encrypt(text));
      });
    } catch (error) {
      // It expires by itself, and the client is to learn why its request failed
      await this.rows.release(claim).catch(() => undefined);
      throw error;
    }
  }

  /**
   * The answer to a request that has ended the very pair that it presented, as a key's rotation of itself does: for the
   * same request again, by that pair. Where it is kept and how it is encrypted is made of the pair too, so to find it
   * is to have proved the secret and the `Idempotency-Key`; whoever lacks either, or asks for something else, finds
   * nothing, without a word of why.
   *
   * Whether it may be given still is for the caller to find out.
   */
  async findForEndedPair<T>(
    request: SameRequest & { endedPair: KeyPair; idempotencyKey: string },
  ): Promise<T | undefined> {
    const found = await this.read(this.ciphersOfEndedPair(request));
    const isSame = found && isEqual(found.cipher.fingerprint(request.body), found.kept.fingerprint);
    if (!isSame || !found.kept.answer) return undefined;
    return JSON.parse(found.cipher.decrypt(found.kept.answer)) as T;
  }

  private ciphersOf({ caller, call, idempotencyKey }: IdempotentRequest<never>): AnswerCipher[] {
    return this.ciphersFor([caller.ownerId, caller.key?.id ?? '', ...call], idempotencyKey);
  }

  private ciphersOfEndedPair(
    request: Pick<IdempotentRequest<never>, 'endedPair' | 'call' | 'idempotencyKey'>,
  ): AnswerCipher[] {
    const { endedPair: pair, call, idempotencyKey } = request;
    return pair ? this.ciphersFor(['ended pair', pair.apiKey, pair.secretKey, ...call], idempotencyKey) : [];
  }

  /** One for each server key, since the answer may have been kept before they were rotated. */
  private ciphersFor(scope: readonly string[], idempotencyKey: string | undefined): AnswerCipher[] {
    if (idempotencyKey === undefined) return [];
    return this.answerKeys.map((key) => new AnswerCipher(key, scope, idempotencyKey));
  }

  private async read(ciphers: readonly AnswerCipher[]): Promise<{ cipher: AnswerCipher; kept: AnswerRow } | undefined> {
    const kept = await this.rows.find(ciphers.map(({ id }) => id));
    const cipher = kept && ciphers.find(({ id }) => id.equals(kept.id));
    return kept && cipher && { cipher, kept };
  }

  /** Somebody was faster, and has either answered by now or not. */
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
    const { cipher, kept } = found;
    if (!isEqual(cipher.fingerprint(body), kept.fingerprint)) throw new IdempotencyKeyReusedError();
    if (!kept.answer) throw new IdempotencyKeyInUseError();
    const earlier = JSON.parse(cipher.decrypt(kept.answer)) as T;
    await assertStillAllowed(earlier);
    return earlier;
  }
}

/** In constant time; both are digests of one length. */
function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
