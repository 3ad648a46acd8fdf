import type { KeyPair, Refusal, RequestHeaders } from './decision/index.js';

/** How a guard reaches the service. Durations are in seconds, as the service's own variables. */
export interface GuardOptions {
  /** The service's address, `https://keys.example.org` or `unix:/run/keys.sock`. */
  url: string;
  /** A token of the service's `SERVICE_TOKENS`, without its name. */
  token: string;
  /** For how long known keys without limits are still accepted while the service does not answer: 0 (the default) to 600. */
  staleIfErrorSeconds?: number;
  /** The number of keys that are remembered: 1 to 10,000,000; 100,000 by default. */
  cacheKeys?: number;
  /** Called after each change of state; what it throws is ignored. */
  onState?: (state: GuardState, previous: GuardState) => void;
}

/**
 * `cold`: nothing heard yet. `fresh`: decides by itself. `stale`: the service decides. `away`: the service does not
 * answer. `refused`: the service refuses the guard's token. `closed`: after `close()`.
 */
export type GuardState = 'cold' | 'fresh' | 'stale' | 'away' | 'refused' | 'closed';

/** The credentials to check: a pair, a pair as one string (`<api_key>.<secret_key>`), or a request that carries one. */
export type Presented = KeyPair | { credential: string } | { headers: RequestHeaders['headers'] } | RequestHeaders;

/** What is required of a key. */
export interface Required {
  /** A scope, like `pinning.unpin`, or several: all of them are required. */
  scope?: string | readonly string[];
  /** The client's IP address, for keys that are bound to networks. */
  ip?: string;
  /** The weight against the key's uses and rate: 0 to 1,000,000; 1 by default. Any other is asked at the service. */
  cost?: number;
}

/** The state of a key's rate limit after the check. */
export interface RateLimitState {
  limit: number;
  remaining: number;
  resetSeconds: number;
}

/** Whether a credential permits something now, and of which key it is. */
export interface GuardVerdict {
  valid: boolean;
  code: 'VALID' | Refusal;
  /** The key's id, a UUID; absent with `INVALID_CREDENTIALS`. */
  keyId?: string;
  ownerId?: string;
  name?: string;
  /** The flat names of all effective scopes. */
  scopes?: readonly string[];
  /** Of a key with `max_uses`. */
  remainingUses?: number;
  /** Of a key with a rate limit. */
  rateLimit?: RateLimitState;
  /** ISO 8601, UTC; absent for a key that does not expire. */
  expiresAt?: string;
  /** `local`: decided in this process. `remote`: by the service. `stale`: in this process while the service is away. */
  source: 'local' | 'remote' | 'stale';
}

/** Decides on API keys in this process; see `createGuard()`. */
export interface Guard {
  /**
   * Whether the credentials permit what is required. Synchronous where it is decided locally.
   *
   * @throws GuardUnavailableError if it can't be decided now: answer 503 with `Retry-After`, never 401; thrown or by the
   *   promise. TypeError for a cost, an address or a scope that is not one
   */
  check(presented: Presented, required?: Required): GuardVerdict | Promise<GuardVerdict>;
  readonly state: GuardState;
  /** Numbers for tests and logs. */
  stats(): GuardStats;
  /** The same for Prometheus, as OpenMetrics text. */
  metrics(): string;
  /** Resolves as soon as the service has answered once, or has been found not to answer: then `check()` says so. */
  ready(): Promise<void>;
  /** Sends the last reports, for at most a second, and stops. */
  close(): Promise<void>;
}

/** Counted since the guard was created, unless said otherwise. */
export interface GuardStats {
  state: GuardState;
  /** The keys remembered now. */
  keys: number;
  /** The refused pairs remembered now. */
  refusals: number;
  /** The age of what is known, in milliseconds; `Infinity` before the first answer. */
  ageMs: number;
  /** Verdicts by source, and those that could not be given. */
  decided: { local: number; remote: number; stale: number; unavailable: number };
  /** Verdicts by code. */
  verdicts: Record<string, number>;
  /** Grants that the service did not allow to keep, by its reason; and those not kept by the rules of the guard. */
  notKept: Record<string, number>;
  /** Questions about changes, and those that failed. */
  asked: number;
  failed: number;
  /** Changes applied, and how often everything was forgotten. */
  changes: number;
  forgotten: number;
  /** Local verdicts that the service has counted, and those that it will not. */
  reported: number;
  unreported: number;
}
