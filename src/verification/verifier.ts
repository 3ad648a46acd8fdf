import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../principals/key-pair.js';
import { Clock } from '../clock.js';
import { type QuotaDecision, NO_CHARGE, type LimitedKey, Quota } from '../limits/quota.js';
import { UsageStatistics } from '../usage/usage-statistics.js';
import type { BatchVerdict } from './batch-run.js';
import { Batches } from './batches.js';
import type { CachedKey } from './cache/cached-key.js';
import { KeyLookup } from './key-lookup.js';
import { PreviousSecretUses } from './previous-secret-uses.js';
import { type Requirements, refusalOf, refused, type Verdict } from './verdict.js';
import { REFUSALS } from '../http/errors/refusals.js';

/** A pair, and what is needed of it. */
export interface VerifyRequest {
  pair: KeyPair;
  requirements: Requirements;
}

/** Decides what a presented key pair may do: the one place that does. */
@Injectable()
export class Verifier {
  /** How often this process has come to each verdict. */
  readonly verdicts = Object.fromEntries([...REFUSALS, 'VALID'].map((code) => [code, 0])) as Record<
    Verdict['code'],
    number
  >;

  private readonly batches = new Batches(({ pair, requirements: need }) => this.verify(pair, need));

  constructor(
    private readonly keyLookup: KeyLookup,
    private readonly metering: Quota,
    private readonly statistics: UsageStatistics,
    private readonly previousSecretUses: PreviousSecretUses,
    private readonly clock: Clock,
  ) {}

  /**
   * The verdict on a pair, for what is needed of it; the state of a key is told only to who
   * holds its secret. It is at hand at once for a key that is known and whose limits are kept here.
   *
   * @throws UnavailableError if it cannot be told now
   */
  verify(pair: KeyPair, need: Requirements): Verdict | Promise<Verdict> {
    const known = this.keyLookup.find(pair);
    return known instanceof Promise
      ? known.then((key) => this.verifyKey(key, pair, need))
      : this.verifyKey(known, pair, need);
  }

  /** The same without the charge: what is left of the key's rate and uses is not asked. */
  async identify(pair: KeyPair, need: Omit<Requirements, 'cost'>): Promise<Verdict> {
    const verdict = this.checkAccess(await this.keyLookup.find(pair), need);
    return verdict.valid ? verdict : this.record(verdict);
  }

  /** The charge alone, for a key that was identified. */
  async charge(key: LimitedKey, cost: number): Promise<QuotaDecision> {
    const charge = await this.metering.charge(key, cost);
    this.statistics.count(key.id, charge.refusal ?? 'VALID');
    this.verdicts[charge.refusal ?? 'VALID']++;
    return charge;
  }

  /** The verdicts on several, those on the same key one after the other, in the order of the requests. Never fails. */
  verifyInOrder(requests: readonly VerifyRequest[]): BatchVerdict[] | Promise<BatchVerdict[]> {
    const verdicts = this.batches.decide(requests);
    return verdicts instanceof Promise ? verdicts.then((all) => this.confirmAll(requests, all)) : verdicts;
  }

  private verifyKey(key: CachedKey | undefined, pair: KeyPair, need: Requirements): Verdict | Promise<Verdict> {
    const verdict = this.checkAccess(key, need);
    if (!verdict.valid) return this.record(verdict);
    const charge = this.metering.charge(verdict.key, need.cost);
    if (!(charge instanceof Promise)) return this.record(toVerdict(verdict.key, charge));
    return charge.then(async (one) =>
      this.record(await this.confirm({ pair, requirements: need }, toVerdict(verdict.key, one))),
    );
  }

  /**
   * The verdict as it is when it is given: what had to wait for others, for a commit or for Redis, may be about a key
   * that was revoked or changed meanwhile. Refused now, it has paid nothing.
   */
  private async confirm({ pair, requirements: need }: VerifyRequest, verdict: Verdict): Promise<Verdict> {
    if (!verdict.valid || this.keyLookup.isCurrent(verdict.key)) return verdict;
    const now = this.checkAccess(await this.keyLookup.find(pair), need);
    if (now.valid) return verdict;
    await this.metering.refund(verdict.key, need.cost, verdict.charge);
    return now;
  }

  /** The early ones of a batch wait for the last. */
  private confirmAll(requests: readonly VerifyRequest[], verdicts: BatchVerdict[]): Promise<BatchVerdict[]> {
    return Promise.all(
      verdicts.map(async (verdict, index) => {
        if (!verdict.valid) return verdict;
        return this.confirm(requests[index] as VerifyRequest, verdict).catch((failure) =>
          this.batches.undecided(failure),
        );
      }),
    );
  }

  private record(verdict: Verdict): Verdict {
    this.verdicts[verdict.code]++;
    if (verdict.key) this.statistics.count(verdict.key.id, verdict.code);
    return verdict;
  }

  private checkAccess(key: CachedKey | undefined, need: Omit<Requirements, 'cost'>): Verdict {
    if (!key) return refused('INVALID_CREDENTIALS');
    if (key.secretKind === 'previous') this.previousSecretUses.record(key);
    const refusal = refusalOf(key, need, this.clock.now());
    return refusal ? refused(refusal, key) : toVerdict(key, NO_CHARGE);
  }
}

function toVerdict(key: CachedKey, charge: QuotaDecision): Verdict {
  return charge.refusal ? refused(charge.refusal, key, charge) : { valid: true, code: 'VALID', key, charge };
}
