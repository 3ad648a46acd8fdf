import { type Moment, plusMs } from '../clock.js';
import { type AccessState, Networks, parseNetwork } from '../decision/index.js';
import type { Tally } from '../reports/tally.js';
import { GrantedScopes } from './granted-scopes.js';
import { InternPool } from './intern-pool.js';
import { PairEntry } from './pair-cache.js';

/** The longest lifetime of a grant, a backstop. */
const MAX_LIFETIME_MS = 600_000;
const networkLists = new InternPool<Networks>();

/** What the service says of a key that a guard may decide on by itself. Durations are in milliseconds. */
export interface GrantTerms {
  /** The service knew all changes of transactions before it. */
  readonly position: bigint;
  /** In which positions are comparable. */
  readonly epoch: string;
  readonly keyId: string;
  readonly ownerId: string;
  readonly name: string;
  /** The flat names of all effective scopes. */
  readonly scopes: readonly string[];
  readonly allowedCidrs: readonly string[] | null;
  readonly expiresInMs: number | null;
  /** ISO 8601, UTC. */
  readonly expiresAt: string | null;
  readonly which: 'current' | 'previous';
  readonly overlapEndsInMs: number | null;
  /** The hashes of further keys whose changes end the grant. */
  readonly forgetOn: readonly string[];
}

/** A key that the guard may decide on by itself. It costs some 500 bytes, and holds nothing that is secret. */
export class Grant extends PairEntry implements AccessState<string> {
  readonly keyId: string;
  readonly ownerId: string;
  readonly name: string;
  readonly granted: GrantedScopes;
  readonly networks: Networks | null;
  /** When the key expires, for verdicts; the grant ends before. */
  readonly expiry: string | null;
  readonly isPrevious: boolean;
  /** What was decided since the last report. */
  tally: Tally | undefined;
  private readonly endSteady: number;
  private readonly endWall: number;

  /** @param sent when the service was asked: durations count from there */
  constructor(digest: string, keyHash: string, terms: GrantTerms, sent: Moment) {
    super(digest, keyHash, terms.forgetOn.length > 0 ? terms.forgetOn : undefined);
    this.keyId = terms.keyId;
    this.ownerId = terms.ownerId;
    this.name = terms.name;
    this.granted = GrantedScopes.of(terms.scopes);
    this.networks = terms.allowedCidrs && internedNetworks(terms.allowedCidrs);
    this.expiry = terms.expiresAt;
    this.isPrevious = terms.which === 'previous';
    const { expiresInMs, overlapEndsInMs } = terms;
    const end = plusMs(sent, Math.min(MAX_LIFETIME_MS, expiresInMs ?? Infinity, overlapEndsInMs ?? Infinity));
    this.endSteady = end.steady;
    this.endWall = end.wall;
    this.tally = undefined;
  }

  // The service grants only keys that are usable now, and the grant ends before the key does

  get isRevoked(): boolean {
    return false;
  }

  get enabled(): boolean {
    return true;
  }

  get notBefore(): null {
    return null;
  }

  get expiresAt(): null {
    return null;
  }

  /** Whether the service has to be asked again. */
  isOverAt(now: Moment): boolean {
    return now.steady >= this.endSteady || now.wall >= this.endWall;
  }
}

function internedNetworks(cidrs: readonly string[]): Networks {
  const networks = new Networks(cidrs.map(parseNetwork));
  return networkLists.get(networks.packed, () => networks);
}
