import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Caller } from '../api-keys/caller.js';
import type { KeyPair } from '../api-keys/credentials.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AnswerCipher } from './answer-cipher.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './errors.js';

const KEPT_SECONDS = 600;
/** So long a claim without an answer counts: whoever made it has been killed since. */
const CLAIMED_SECONDS = 30;

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
 * Takes the place if it is free, or was left by somebody who is gone. All times here are the database's: a process whose
 * clock is ahead would take the place of another that is at work, and what is asked for once would be done twice.
 */
const CLAIM = `
  INSERT INTO idempotent_answers (id, fingerprint, expires_at)
  VALUES ($1, $2, now() + make_interval(secs => ${CLAIMED_SECONDS}))
  ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, expires_at = excluded.expires_at
  WHERE idempotent_answers.expires_at <= now()
  RETURNING expires_at`;

/** Of an answer that was kept for the same pair, call and `Idempotency-Key` before, the time is over. */
const STORE_FOR_ENDED_PAIR = `
  INSERT INTO idempotent_answers (id, fingerprint, answer, expires_at)
  VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => ${KEPT_SECONDS}))
  ON CONFLICT (id) DO UPDATE
  SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at`;

const FIND = 'SELECT id, fingerprint, answer FROM idempotent_answers WHERE id = ANY($1) AND expires_at > now()';

/** From when it is done: the transaction may have begun long before. */
const KEEP = `
  UPDATE idempotent_answers
  SET answer = $3, expires_at = clock_timestamp() + make_interval(secs => ${KEPT_SECONDS})
  WHERE id = $1 AND answer IS NULL AND expires_at = $2`;

interface Kept {
  id: Buffer;
  fingerprint: Buffer;
  answer: Buffer | null;
}

/**
 * Gives the same request the same answer for ten minutes (the `Idempotency-Key` header;
 * draft-ietf-httpapi-idempotency-key-header), secrets included.
 */
@Injectable()
export class IdempotentAnswers {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Does what is asked, or gives the answer that was given to the same request before.
   *
   * @param act has to hand its answer to `keep` in its transaction
   * @throws IdempotencyKeyInUseError, IdempotencyKeyReusedError
   */
  async once<T extends object>(request: IdempotentRequest<T>, act: (keep: Keep<T>) => Promise<T>): Promise<T> {
    const ciphers = this.ciphersOf(request);
    const [cipher] = ciphers;
    if (!cipher) return act(() => Promise.resolve());
    const [beside] = this.ciphersOfEndedPair(request);
    const fingerprint = cipher.fingerprint(request.body);
    const earlier = await this.find<T>(ciphers, request);
    if (earlier) return earlier;
    const [claim] = (await this.dataSource.query(CLAIM, [cipher.id, fingerprint])) as { expires_at: Date }[];
    if (!claim) return this.findOther(ciphers, request);
    try {
      return await act(async (tx, answer) => {
        await this.keep(tx, cipher, claim.expires_at, answer);
        if (beside) await this.storeForEndedPair(tx, beside, request.body, answer);
      });
    } catch (error) {
      await this.release(cipher, claim.expires_at);
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
    return this.environment.answerKeys.map((key) => new AnswerCipher(key, scope, idempotencyKey));
  }

  private async read(ciphers: readonly AnswerCipher[]): Promise<{ cipher: AnswerCipher; kept: Kept } | undefined> {
    const [kept] = (await this.dataSource.query(FIND, [ciphers.map(({ id }) => id)])) as Kept[];
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

  /** @throws IdempotencyKeyInUseError if it took so long that somebody else has taken the place */
  private async keep(tx: EntityManager, cipher: AnswerCipher, claimedUntil: Date, answer: object): Promise<void> {
    const encrypted = cipher.encrypt(JSON.stringify(answer));
    const [, kept] = (await tx.query(KEEP, [cipher.id, claimedUntil, encrypted])) as [unknown, number];
    if (kept === 0) throw new IdempotencyKeyInUseError();
  }

  private async storeForEndedPair(
    tx: EntityManager,
    cipher: AnswerCipher,
    body: object,
    answer: object,
  ): Promise<void> {
    const encrypted = cipher.encrypt(JSON.stringify(answer));
    await tx.query(STORE_FOR_ENDED_PAIR, [cipher.id, cipher.fingerprint(body), encrypted]);
  }

  /** Nothing was done, and the client may try again at once. */
  private async release(cipher: AnswerCipher, claimedUntil: Date): Promise<void> {
    await this.dataSource
      .query('DELETE FROM idempotent_answers WHERE id = $1 AND answer IS NULL AND expires_at = $2', [
        cipher.id,
        claimedUntil,
      ])
      // It expires by itself, and the client is to learn why its request failed
      .catch(() => undefined);
  }
}

/** In constant time; both are digests of one length. */
function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
