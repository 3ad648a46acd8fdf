import { Knowledge } from '../../src/knowledge/knowledge.js';
import type { ChangesAnswer, ChangesQuestion, Question } from '../../src/knowledge/questions.js';
import { termsOf } from '../terms.js';
import type { ModelProcess, ModelVerdict } from './server-process.js';
import type { VirtualClock } from './virtual-clock.js';

/** A question about changes: on its way, held, or answered. */
interface AskedChanges {
  readonly question: ChangesQuestion;
  readonly process: ModelProcess;
  receivedAt: number | undefined;
  answer: ChangesAnswer | undefined;
}

interface AskedVerdict {
  readonly question: Question;
  readonly key: number;
  readonly process: ModelProcess;
  verdict: ModelVerdict | undefined;
}

/** What a guard knows, and the questions that it has asked. Questions and answers arrive in any order. */
export class ModelledGuard {
  readonly knowledge: Knowledge;
  private readonly changes: AskedChanges[] = [];
  private readonly verdicts: AskedVerdict[] = [];
  /** What was known at the last look; it must not become less. */
  private last = { era: 0, since: -1n, knownUpTo: Number.NEGATIVE_INFINITY };

  constructor(
    private readonly clock: VirtualClock,
    loggedKeys: number,
  ) {
    this.knowledge = new Knowledge(clock, { cacheKeys: 100, loggedKeys });
  }

  askChanges(process: ModelProcess): void {
    const question = this.knowledge.changesQuestion();
    this.changes.push({ question, process, receivedAt: undefined, answer: undefined });
  }

  /** From now on, the service holds the question. */
  receiveQuestion(pick: number): void {
    const asked = one(this.changes, pick);
    if (asked) asked.receivedAt ??= this.clock.true;
  }

  answerChanges(pick: number): void {
    const asked = one(this.changes, pick);
    if (!asked || asked.answer) return;
    const { question, process, receivedAt = this.clock.true } = asked;
    asked.answer = process.changesSince(question.since, question.epoch, receivedAt, this.clock.true);
  }

  deliverChanges(pick: number): void {
    const asked = take(this.changes, pick);
    if (asked?.answer) this.knowledge.apply(asked.question, asked.answer);
  }

  askVerdict(key: number, process: ModelProcess): void {
    this.verdicts.push({ question: this.knowledge.question(), key, process, verdict: undefined });
  }

  answerVerdict(pick: number): void {
    const asked = one(this.verdicts, pick);
    if (asked) asked.verdict ??= asked.process.verdictOn(asked.key, this.clock.true);
  }

  deliverVerdict(pick: number): void {
    const asked = take(this.verdicts, pick);
    if (!asked?.verdict?.enabled) return;
    const pair = { digest: String(asked.key), keyHash: String(asked.key) };
    const { position, epoch } = asked.verdict;
    this.knowledge.keep(pair, asked.question, termsOf({ position, epoch }));
  }

  /** The true time until which the guard says `VALID` by itself, if nothing reaches it; `undefined` if it does not now. */
  acceptsUntil(key: number): number | undefined {
    const now = this.clock.now();
    if (!this.knowledge.recall(String(key), now)) return undefined;
    return this.clock.true + Math.max(0, this.knowledge.freshForMsAt(now));
  }

  /** @throws Error if the guard asks for changes that it has, or knows less than before */
  checkProgress(): void {
    const { era, since = -1n } = this.knowledge.changesQuestion();
    const { steady } = this.clock.now();
    const knownUpTo = steady - this.knowledge.ageAt({ steady, wall: Number.NEGATIVE_INFINITY });
    if (era === this.last.era && since < this.last.since) throw new Error('The cursor went back');
    if (era === this.last.era && knownUpTo < this.last.knownUpTo) throw new Error('What was known was forgotten');
    this.last = { era, since, knownUpTo };
  }
}

/** Removes one, the last for -1. */
function take<T>(list: T[], pick: number): T | undefined {
  return list.splice(indexOf(list, pick), 1)[0];
}

function one<T>(list: T[], pick: number): T | undefined {
  return list[indexOf(list, pick)];
}

function indexOf(list: unknown[], pick: number): number {
  return pick < 0 ? list.length + pick : pick % Math.max(1, list.length);
}
