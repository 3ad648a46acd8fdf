import { type Clock, elapsedMs } from '../clock.js';
import type { Knowledge } from '../knowledge/knowledge.js';
import type { ChangesQuestion } from '../knowledge/questions.js';
import type { StateOfGuard } from '../state.js';
import type { Answer } from './answer.js';
import { Backoff } from './backoff.js';
import { startDeadline } from './deadline.js';
import type { ServiceClient } from './service-client.js';
import { readChanges, UnexpectedAnswerError } from './wire.js';

/** Before the service has named its bound. */
const DEFAULT_BOUND_MS = 1_000;
/** Of the bound: for how long the service holds a question, so that an idle guard asks four times within the bound. */
const HELD_SHARE = 1 / 4;
const MAX_HELD_MS = 1_000;
/** Of the bound: how much longer an answer may take before the question is asked again. */
const PATIENCE_SHARE = 1 / 2;
/** A late answer is still used, for what it says of the time when it was asked for. */
const MAX_LATE_MS = 5_000;
/** The least time between questions. */
const GAP_MS = 10;
const REFUSED_RETRY_MS = 1_000;
const MAX_RETRY_AFTER_MS = 5_000;
/** Others are not the service's own answers to guards: of a gateway, of a sidecar, or below a wrong path. */
const MEANINGFUL = new Set([200, 401, 410, 503]);

/** Asks the service for changes, again and again. */
export class ChangeLoop {
  asked = 0;
  failed = 0;
  /** Ends with an answer, or when it was waited for long enough. */
  private turn = 0;
  private timer: NodeJS.Timeout | undefined;
  private hasWarned = false;
  private cancelPatience: () => void = () => undefined;
  private readonly retries = new Backoff();
  /** Between answers that come at once though they bring nothing: the service repeats changes until its next poll. */
  private readonly repeats = new Backoff(2 * GAP_MS, MAX_HELD_MS * HELD_SHARE);

  constructor(
    private readonly client: ServiceClient,
    private readonly knowledge: Knowledge,
    private readonly state: StateOfGuard,
    private readonly clock: Clock,
  ) {}

  start(): void {
    const turn = ++this.turn;
    const question = this.knowledge.changesQuestion();
    const boundMs = this.knowledge.boundMs || DEFAULT_BOUND_MS;
    const waitMs = this.waitMs(boundMs, question);
    this.asked++;
    this.cancelPatience = startDeadline(boundMs * PATIENCE_SHARE + waitMs, () => {
      this.giveUp(turn, 'The service takes too long to answer');
    });
    this.client.send({ method: 'GET', path: pathOf(question, waitMs), limitMs: MAX_LATE_MS, isBackground: true }).then(
      (answer) => this.receive(turn, question, waitMs, answer),
      (error: Error) => this.giveUp(turn, error.message),
    );
  }

  /** For how long the service may hold the question: the guard stays fresh meanwhile. If it is not, it can't wait. */
  private waitMs(boundMs: number, { sent }: ChangesQuestion): number {
    const leftMs = Math.max(0, this.knowledge.freshForMsAt(sent));
    return Math.floor(Math.min(MAX_HELD_MS, boundMs * HELD_SHARE, leftMs / 2));
  }

  stop(): void {
    this.turn++;
    clearTimeout(this.timer);
    this.cancelPatience();
  }

  private receive(turn: number, question: ChangesQuestion, waitMs: number, answer: Answer): void {
    const isNews = answer.status === 200 && this.apply(question, answer.data);
    if (answer.status === 410 && question.era === this.knowledge.era) this.knowledge.forgetEverything();
    if (turn !== this.turn) return this.state.notice();
    if (answer.status === 401) this.state.refused();
    else this.state.answered(answer.status === 200);
    if (!MEANINGFUL.has(answer.status)) this.warnOnce(answer.status);
    if (answer.status !== 200) this.failed++;
    this.next(this.delayMs(question, waitMs, answer, isNews));
  }

  /** The guard never decides by itself then, which nothing else would show. */
  private warnOnce(status: number): void {
    if (this.hasWarned) return;
    this.hasWarned = true;
    const text = `The API-key service answered HTTP ${status} to the guard's question about changes: is url its own address?`;
    process.emitWarning(`${text} Each verdict is asked for meanwhile.`, 'ApiKeysGuardWarning');
  }

  private apply(question: ChangesQuestion, data: unknown): boolean {
    try {
      return this.knowledge.apply(question, readChanges(data));
    } catch (error) {
      if (!(error instanceof UnexpectedAnswerError)) throw error;
      this.failed++;
      return false;
    }
  }

  /** After how many milliseconds to ask again. */
  private delayMs(question: ChangesQuestion, waitMs: number, answer: Answer, isNews: boolean): number {
    if (answer.status === 401) return REFUSED_RETRY_MS;
    if (answer.status === 503)
      return Math.max(this.retries.nextMs(), Math.min(MAX_RETRY_AFTER_MS, answer.retryAfterSeconds * 1_000));
    // The first answer names the position from which on changes are wanted
    if (answer.status === 200 && isNews && question.since === undefined) return 0;
    if (this.state.current !== 'fresh') return this.retries.nextMs();
    this.retries.reset();
    const tookMs = elapsedMs(question.sent, this.clock.now());
    if (!isNews && tookMs < waitMs / 2) return this.repeats.nextMs();
    this.repeats.reset();
    return Math.max(0, GAP_MS - tookMs);
  }

  private giveUp(turn: number, reason: string): void {
    if (turn !== this.turn) return;
    this.failed++;
    this.state.silent(reason);
    this.next(this.retries.nextMs());
  }

  private next(milliseconds: number): void {
    this.turn++;
    this.cancelPatience();
    this.timer = setTimeout(() => this.start(), milliseconds);
    this.timer.unref();
  }
}

function pathOf({ since, epoch }: ChangesQuestion, waitMs: number): string {
  if (since === undefined || epoch === undefined) return `/changes?wait_ms=${waitMs}`;
  return `/changes?since=${since}&epoch=${encodeURIComponent(epoch)}&wait_ms=${waitMs}`;
}
