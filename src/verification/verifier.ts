import { Injectable } from '@nestjs/common';
import { accessRefusal, type KeyPair, REFUSALS } from '@w3ipfs/api-keys-guard/decision';
import { Clock } from '../clock.js';
import { type QuotaDecision, NO_CHARGE, type LimitedKey, Quota } from '../limits/quota.js';
import { UsageStatistics } from '../usage/usage-statistics.js';
import type { BatchVerdict } from './batch-run.js';
import { Batches } from './batches.js';
import type { CachedKey } from './cache/cached-key.js';
import { KeyResolver } from './key-resolver.js';
import { PreviousSecretUses } from './previous-secret-uses.js';
import { type Requirements, refused, toVerdict, type Verdict } from './verdict.js';

/** A pair, and what is required of it. */
export interface VerifyRequest {
  pair: KeyPair;
  requirements: Requirements;
  /** Whether a guard asks, which wants to decide on the key itself from now on. */
  wantsGrant?: boolean;
}

/**
 * Decides what a presented key pair may do. Guards in other services share its checks (`accessRefusal()`), and decide on
 * granted keys themselves.
 */
@Injectable()
export class Verifier {
  /** The number of verdicts of this process, by code. */
  readonly verdicts = Object.fromEntries([...REFUSALS, 'VALID'].map((code) => [code, 0])) as Record<
    Verdict['code'],
    number
  >;

  private readonly batches = new Batches(
    ({ pair, requirements }) => this.verify(pair, requirements),
    (request, verdict) => this.recheck(request, verdict),
  );

  constructor(
    private readonly keys: KeyResolver,
    private readonly quota: Quota,
    private readonly statistics: UsageStatistics,
    private readonly previousSecretUses: PreviousSecretUses,
    private readonly clock: Clock,
  ) {}

  /**
   * Verifies a pair against requirements. Only a caller with the right secret learns the key's state. Synchronous for a
   * cached key whose limits are kept in this process.
   *
   * @throws UnavailableError if the verdict cannot be determined now
   */
  verify(pair: KeyPair, requirements: Requirements): Verdict | Promise<Verdict> {
    const key = this.keys.resolve(pair);
    return key instanceof Promise
      ? key.then((found) => this.verifyKey(found, pair, requirements))
      : this.verifyKey(key, pair, requirements);
  }

  /** Verifies without charging: the key's remaining rate and uses are not checked. */
  async identify(pair: KeyPair, requirements: Omit<Requirements, 'cost'>): Promise<Verdict> {
    const verdict = this.checkAccess(await this.keys.resolve(pair), requirements);
    return verdict.valid ? verdict : this.record(verdict);
  }

  /** Charges a key that was identified. */
  async charge(key: LimitedKey, cost: number): Promise<QuotaDecision> {
    const charge = await this.quota.charge(key, cost);
    const code = charge.refusal ?? 'VALID';
    this.statistics.count(key.id, code);
    this.verdicts[code]++;
    return charge;
  }

  /** Verifies a batch: requests with the same key one after the other, in order. Never rejects. */
  verifyInOrder(requests: readonly VerifyRequest[]): Promise<BatchVerdict[]> {
    return this.batches.decide(requests);
  }

  private verifyKey(key: CachedKey | undefined, pair: KeyPair, requirements: Requirements): Verdict | Promise<Verdict> {
    const verdict = this.checkAccess(key, requirements);
    if (!verdict.valid) return this.record(verdict);
    const charge = this.quota.charge(verdict.key, requirements.cost);
    if (!(charge instanceof Promise)) return this.record(toVerdict(verdict.key, charge));
    return charge.then(async (decision) =>
      this.record(await this.recheck({ pair, requirements }, toVerdict(verdict.key, decision))),
    );
  }

  /**
   * The verdict as of now: while it waited for other requests, a commit or Redis, the key may have been revoked or
   * changed. If it is refused now, its charge is refunded.
   */
  private async recheck({ pair, requirements }: VerifyRequest, verdict: Verdict): Promise<Verdict> {
    if (!verdict.valid || this.keys.isCurrent(verdict.key)) return verdict;
    const current = this.checkAccess(await this.keys.resolve(pair), requirements);
    if (current.valid) return verdict;
    await this.quota.refund(verdict.key, requirements.cost, verdict.charge);
    return current;
  }

  /** Counts a verdict, for the metrics and the statistics of its key. */
  private record(verdict: Verdict): Verdict {
    this.verdicts[verdict.code]++;
    if (verdict.key) this.statistics.count(verdict.key.id, verdict.code);
    return verdict;
  }

  /** Everything but the charge. Notes the use of a previous secret, even if the key is refused. */
  private checkAccess(key: CachedKey | undefined, requirements: Omit<Requirements, 'cost'>): Verdict {
    if (!key) return refused('INVALID_CREDENTIALS');
    if (key.secretKind === 'previous') this.previousSecretUses.record(key);
    const refusal = accessRefusal(key, requirements, this.clock.now());
    return refusal ? refused(refusal, key) : toVerdict(key, NO_CHARGE);
  }
}
