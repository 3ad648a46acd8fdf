import { type Commit, ModelDatabase } from './database.js';
import { ModelledGuard } from './modelled-guard.js';
import { BOUND_MS, ModelProcess, POLL_MS } from './server-process.js';
import { VirtualClock } from './virtual-clock.js';

const KEYS = 2;
const PROCESSES = 3;

/** One thing that happens, after some time. The numbers choose what it happens to. */
export interface Happening {
  readonly what: keyof World['happenings'];
  readonly afterMs: number;
  readonly a: number;
  readonly b: number;
}

interface WorldOptions {
  /** Whether the guard's machine is suspended at times; otherwise its wall clock is set at times. */
  readonly canSuspend: boolean;
  /** How many changes the guard logs. */
  readonly loggedKeys: number;
}

/** A guard, processes of the service behind a balancer, and their database. */
export class World {
  /** How often the guard said `VALID` by itself. */
  accepted = 0;
  private readonly clock = new VirtualClock();
  private readonly database = new ModelDatabase(KEYS);
  private readonly processes = Array.from({ length: PROCESSES }, () => new ModelProcess(this.database, 0));
  private guard: ModelledGuard;
  /** That are on their way. */
  private notifications: { commit: Commit; process: ModelProcess }[] = [];

  constructor(private readonly options: WorldOptions) {
    this.guard = new ModelledGuard(this.clock, options.loggedKeys);
  }

  /** What can happen. */
  readonly happenings = {
    begin: (a: number, b: number) => this.database.begin(a % KEYS, b % 3 === 0),
    commit: (a: number) => this.commit(a),
    change: (a: number) => {
      this.database.begin(a % KEYS, !this.database.isEnabled(a % KEYS));
      this.commit(-1);
    },
    /** All processes learn of a change but one. */
    changeUnseen: (a: number, b: number) => {
      this.happenings.pausePolls(b);
      this.happenings.change(a);
      this.pass(POLL_MS);
    },
    restoreUnseen: (a: number, b: number) => {
      this.happenings.pausePolls(b);
      this.happenings.restore(a);
      this.pass(POLL_MS);
    },
    notify: (a: number, b: number) => {
      const [sent] = this.notifications.splice(a % Math.max(1, this.notifications.length), 1);
      sent?.process.notify(sent.commit, b % 2 === 0);
    },
    poll: (a: number) => this.process(a).poll(this.clock.true),
    pausePolls: (a: number) => {
      this.process(a).polls = false;
    },
    resumePolls: (a: number) => {
      this.process(a).polls = true;
    },
    restartProcess: (a: number) => {
      this.processes[a % PROCESSES] = new ModelProcess(this.database, this.clock.true);
    },
    restore: (a: number) => this.database.restore(a, this.clock.true),
    /** The answer is on its way. */
    askAndAnswerChanges: (a: number) => {
      this.guard.askChanges(this.process(a));
      this.guard.answerChanges(-1);
    },
    askAndAnswerVerdict: (a: number, b: number) => {
      this.guard.askVerdict(a % KEYS, this.process(b));
      this.guard.answerVerdict(-1);
    },
    askChanges: (a: number) => this.guard.askChanges(this.process(a)),
    receiveQuestion: (a: number) => this.guard.receiveQuestion(a),
    answerChanges: (a: number) => this.guard.answerChanges(a),
    deliverChanges: (a: number) => this.guard.deliverChanges(a),
    changesRoundTrip: (a: number) => {
      this.happenings.askAndAnswerChanges(a);
      this.guard.deliverChanges(-1);
    },
    expirePosition: () => this.guard.knowledge.forgetEverything(),
    beginAnew: (a: number) => {
      this.happenings.expirePosition();
      this.happenings.changesRoundTrip(a);
    },
    askVerdict: (a: number, b: number) => this.guard.askVerdict(a % KEYS, this.process(b)),
    answerVerdict: (a: number) => this.guard.answerVerdict(a),
    deliverVerdict: (a: number) => this.guard.deliverVerdict(a),
    verdictRoundTrip: (a: number, b: number) => {
      this.happenings.askAndAnswerVerdict(a, b);
      this.guard.deliverVerdict(-1);
    },
    restartGuard: () => {
      this.guard = new ModelledGuard(this.clock, this.options.loggedKeys);
    },
    suspend: (a: number) => {
      if (this.options.canSuspend) this.clock.suspend((a % 40) * 100);
    },
    setClock: (a: number) => {
      if (!this.options.canSuspend) this.clock.set(((a % 80) - 40) * 100);
    },
  };

  /** @throws Error if the guard would accept a key that was disabled for longer than the bound, or knows less than before */
  happen({ what, afterMs, a, b }: Happening): void {
    this.pass(afterMs);
    this.happenings[what](a, b);
    this.check();
  }

  private pass(milliseconds: number): void {
    this.clock.true += milliseconds;
    this.check();
    for (const process of this.processes) process.pollIfDue(this.clock.true);
  }

  private process(pick: number): ModelProcess {
    return this.processes[pick % PROCESSES] as ModelProcess;
  }

  /** Commits one of the transactions under way, and sends the notifications. */
  private commit(pick: number): void {
    const commit = this.database.commit(pick, this.clock.true);
    if (commit) this.notifications.push(...this.processes.map((process) => ({ commit, process })));
  }

  private check(): void {
    this.guard.checkProgress();
    for (let key = 0; key < KEYS; key++) {
      // Nothing else may reach the guard meanwhile
      const until = this.guard.acceptsUntil(key);
      if (until === undefined) continue;
      this.accepted++;
      if (!this.database.wasEnabledAfter(until - BOUND_MS, key))
        throw new Error(`Key ${key} is accepted until ${until}, later than its revocation and the bound`);
    }
  }
}
