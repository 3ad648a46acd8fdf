import { type Commit, ModelDatabase } from './database.js';
import { ModelledGuard } from './modelled-guard.js';
import { BOUND_MS, ModelProcess } from './server-process.js';
import { VirtualClock } from './virtual-clock.js';

const KEYS = 3;
const PROCESSES = 3;
/** How often the guard is looked at. */
const STEP_MS = 25;

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
    askChanges: (a: number) => this.guard.askChanges(this.process(a)),
    receiveQuestion: (a: number) => this.guard.receiveQuestion(a),
    answerChanges: (a: number) => this.guard.answerChanges(a),
    deliverChanges: (a: number) => this.guard.deliverChanges(a),
    changesRoundTrip: (a: number) => {
      this.guard.askChanges(this.process(a));
      this.guard.answerChanges(-1);
      this.guard.deliverChanges(-1);
    },
    expirePosition: () => this.guard.knowledge.forgetEverything(),
    askVerdict: (a: number, b: number) => this.guard.askVerdict(a % KEYS, this.process(b)),
    answerVerdict: (a: number) => this.guard.answerVerdict(a),
    deliverVerdict: (a: number) => this.guard.deliverVerdict(a),
    verdictRoundTrip: (a: number, b: number) => {
      this.guard.askVerdict(a % KEYS, this.process(b));
      this.guard.answerVerdict(-1);
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

  /** @throws Error if the guard accepts a key that was disabled for longer than the bound, or knows less than before */
  happen({ what, afterMs, a, b }: Happening): void {
    for (let leftMs = afterMs; leftMs > 0; leftMs -= STEP_MS) {
      this.clock.true += Math.min(leftMs, STEP_MS);
      for (const process of this.processes) process.pollIfDue(this.clock.true);
      this.check();
    }
    this.happenings[what](a, b);
    this.check();
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
      if (!this.guard.accepts(key)) continue;
      this.accepted++;
      if (!this.database.wasEnabledAfter(this.clock.true - BOUND_MS, key))
        throw new Error(`Key ${key} was accepted at ${this.clock.true}, later than its revocation and the bound`);
    }
  }
}
