import type { Clock } from './clock.js';
import type { Knowledge } from './knowledge/knowledge.js';
import type { GuardState } from './types.js';
import { unavailable } from './unavailable-error.js';

type Listener = (state: GuardState, previous: GuardState) => void;

/** The state of a guard, from what it knows and from how the service answered. */
export class StateOfGuard {
  /** Why the service did not answer the last question; `undefined` if it did. */
  silence: string | undefined;
  /** Resolves once the service has answered, or has been found not to. */
  readonly known: Promise<void>;
  private resolveKnown: () => void = () => undefined;
  private isRefused = false;
  private isClosed = false;
  private noticed: GuardState = 'cold';
  private readonly listener: Listener;

  constructor(
    private readonly knowledge: Knowledge,
    private readonly clock: Clock,
    listener: Listener | undefined,
  ) {
    this.listener = listener ?? ((state) => this.warn(state));
    this.known = new Promise((resolve) => {
      this.resolveKnown = resolve;
    });
  }

  /** It changes as time passes. */
  get current(): GuardState {
    if (this.isClosed) return 'closed';
    if (this.isRefused) return 'refused';
    const now = this.clock.now();
    if (this.knowledge.isFreshAt(now)) return 'fresh';
    if (this.silence !== undefined) return 'away';
    return this.knowledge.ageAt(now) === Infinity ? 'cold' : 'stale';
  }

  /**
   * The service answered, and not that it refuses the token.
   *
   * @param isUsable false if there is no point in waiting for more
   */
  answered(isUsable: boolean): void {
    this.isRefused = false;
    this.silence = undefined;
    if (!isUsable) this.resolveKnown();
    this.notice();
  }

  /** The service did not answer. */
  silent(reason: string): void {
    this.silence = reason;
    this.notice();
  }

  /** The service refuses the token: all grants are dropped. */
  refused(): void {
    this.isRefused = true;
    this.silence = undefined;
    this.knowledge.forgetEverything();
    this.notice();
  }

  closed(): void {
    this.isClosed = true;
    this.knowledge.forgetEverything();
    this.notice();
  }

  /** Says why there are no verdicts, to whoever runs the process, if nobody listens. */
  private warn(state: GuardState): void {
    if (state !== 'refused' && state !== 'away') return;
    process.emitWarning(unavailable(state, this.silence).message, 'ApiKeysGuardWarning');
  }

  /** Calls the listener if the state has changed since the last time. */
  notice(): void {
    const state = this.current;
    const previous = this.noticed;
    if (state === previous) return;
    this.noticed = state;
    this.resolveKnown();
    try {
      this.listener(state, previous);
    } catch {
      // An error of the listener must not affect the guard
    }
  }
}
