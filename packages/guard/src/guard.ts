import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from './clock.js';
import { Decider } from './decider.js';
import { Knowledge } from './knowledge/knowledge.js';
import { readOptions } from './input/options.js';
import { Reporter } from './reports/reporter.js';
import { ChangeLoop } from './service/change-loop.js';
import { ServiceClient } from './service/service-client.js';
import { VerdictQuestions } from './service/verdict-questions.js';
import { StateOfGuard } from './state.js';
import { metricsOf } from './statistics/metrics.js';
import { Statistics } from './statistics/statistics.js';
import type { Guard, GuardOptions, GuardState, GuardStats, GuardVerdict, Presented, Required } from './types.js';

const MAX_CLOSING_MS = 1_000;
/** Longer than any wait for the service's first answer. */
const KEPT_ALIVE_MS = 60_000;

/**
 * Creates a guard, which begins to ask the service for changes. Neither that nor its reports keep the process alive; a
 * verdict that is waited for does, and so do `ready()` and `close()`.
 *
 * @throws TypeError naming the option that is not valid
 */
export function createGuard(options: GuardOptions): Guard {
  return new ServiceGuard(options, systemClock);
}

class ServiceGuard implements Guard {
  private readonly knowledge: Knowledge;
  private readonly service: ServiceClient;
  private readonly guardState: StateOfGuard;
  private readonly loop: ChangeLoop;
  private readonly reporter: Reporter;
  private readonly decider: Decider;
  private readonly statistics = new Statistics();
  private closing: Promise<void> | undefined;

  constructor(
    options: GuardOptions,
    private readonly clock: Clock,
  ) {
    const settings = readOptions(options);
    const id = randomBytes(16).toString('base64url');
    const knowledge = (this.knowledge = new Knowledge(clock, settings));
    const service = (this.service = new ServiceClient(settings, id));
    const state = (this.guardState = new StateOfGuard(knowledge, clock, options.onState));
    const { statistics } = this;
    const reporter = (this.reporter = new Reporter(id, service, clock, () => state.refused()));
    const questions = new VerdictQuestions(service, knowledge, state, statistics);
    this.decider = new Decider({ clock, knowledge, state, questions, reporter, statistics }, settings.staleMs);
    this.loop = new ChangeLoop(service, knowledge, state, clock);
    this.loop.start();
  }

  get state(): GuardState {
    return this.guardState.current;
  }

  check(presented: Presented, required?: Required): GuardVerdict | Promise<GuardVerdict> {
    return this.decider.check(presented, required);
  }

  async ready(): Promise<void> {
    // Neither the question nor a promise keeps the process alive
    const alive = setInterval(() => undefined, KEPT_ALIVE_MS);
    await this.guardState.known;
    clearInterval(alive);
  }

  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    this.loop.stop();
    this.guardState.closed();
    await this.reporter.close(MAX_CLOSING_MS);
    this.service.close();
  }

  stats(): GuardStats {
    const { knowledge, loop, reporter, statistics } = this;
    return {
      state: this.state,
      keys: knowledge.keys,
      refusals: knowledge.refusals,
      ageMs: knowledge.ageAt(this.clock.now()),
      decided: { ...statistics.decided },
      verdicts: { ...statistics.verdicts },
      notKept: { ...statistics.notKept },
      asked: loop.asked,
      failed: loop.failed,
      changes: knowledge.news,
      forgotten: knowledge.forgotten,
      reported: reporter.reported,
      unreported: reporter.unreported,
    };
  }

  metrics(): string {
    return metricsOf(this.stats());
  }
}
