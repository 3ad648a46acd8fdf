import { randomUUID } from 'node:crypto';
import type { RateLimit } from '../../src/principals/key-limits.js';
import fc from 'fast-check';
import type { RateLimiter } from '../../src/limits/rate-limiter.js';
import type { TestClock } from './clock.js';

interface Subject {
  limiter: RateLimiter;
  clock: TestClock;
}

/** An exact log of grants by the true time: the naive way to count. */
class Log {
  private entries: { at: number; cost: number }[] = [];

  add(at: number, cost: number): void {
    this.entries.push({ at, cost });
  }

  undo(): void {
    this.entries.pop();
  }

  forgetBefore(time: number): void {
    this.entries = this.entries.filter(({ at }) => at > time);
  }

  /** The total granted after a time. */
  since(time: number): number {
    return this.entries.filter(({ at }) => at > time).reduce((sum, { cost }) => sum + cost, 0);
  }
}

const costs = fc.oneof(fc.constant(1), fc.nat(12));
const windows = fc.constantFrom(60, 61, 97, 3_600, 86_400 * 31);
const limits = fc.record({ requests: fc.integer({ min: 1, max: 30 }), windowSeconds: windows });
/** Waits in thousandths of the window, mostly around a slot or the whole window. */
const waits = fc.oneof(fc.constant(0), fc.nat(25), fc.nat(300), fc.constantFrom(989, 999, 1_000, 1_001, 1_010, 1_011));
const steps = fc.array(fc.record({ wait: waits, jitter: fc.nat(3), cost: costs, isGivenBack: fc.nat(5) }), {
  maxLength: 60,
});
const pass = (limit: RateLimit, step: { wait: number; jitter: number }) =>
  step.wait * limit.windowSeconds + step.jitter;

/** In milliseconds, how much longer than announced a wait of a whole window may be. */
function windowSlack({ windowSeconds }: RateLimit, seconds: number): number {
  return seconds === windowSeconds ? windowSeconds * 10 : 0;
}

/** The contract of every limiter, compared with a log of grants. All times come from the clock. */
export function itKeepsRateLimits(subject: () => Subject, numRuns: number): void {
  it('never grants more in any window, nor refuses what an exact log of 1.01 windows would grant', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, async (limit, sequence) => {
        const { limiter, clock } = subject();
        const [key, log] = [randomUUID(), new Log()];
        for (const step of sequence) {
          clock.time += pass(limit, step);
          const decision = await limiter.take(key, limit, step.cost);
          const exact = log.since(clock.time - limit.windowSeconds * 1_000);
          const strict = log.since(clock.time - limit.windowSeconds * 1_010 - 1);
          const fits = (counted: number) => step.cost === 0 || counted + step.cost <= limit.requests;
          expect([fits(exact), fits(strict)]).toContain(decision.granted);
          if (decision.granted) log.add(clock.time, step.cost);
          if (step.isGivenBack === 0) {
            await decision.refund();
            await decision.refund();
            if (decision.granted) log.undo();
          }
        }
      }),
      { numRuns },
    );
  });

  it('reports what remains, when it resets, and when a refused cost will fit', async () => {
    await fc.assert(
      fc.asyncProperty(limits, steps, costs, async (limit, sequence, cost) => {
        const { limiter, clock } = subject();
        const key = randomUUID();
        for (const step of sequence) {
          clock.time += pass(limit, step);
          await limiter.take(key, limit, step.cost);
        }
        const { remaining } = await limiter.take(key, limit, 0);
        expect((await limiter.take(key, limit, remaining + 1)).granted).toBe(false);
        const decision = await limiter.take(key, limit, Math.min(cost, limit.requests));
        if (!decision.granted) {
          expect(decision.retryAfterSeconds).toBeLessThanOrEqual(limit.windowSeconds);
          clock.time += (decision.retryAfterSeconds - 1) * 1_000 - 1;
          const early = await limiter.take(key, limit, Math.min(cost, limit.requests));
          clock.time += 1_001 + windowSlack(limit, decision.retryAfterSeconds);
          const due = await limiter.take(key, limit, Math.min(cost, limit.requests));
          expect([early.granted, due.granted]).toEqual([false, true]);
        }
        const { resetSeconds } = await limiter.take(key, limit, 0);
        expect(resetSeconds).toBeLessThanOrEqual(limit.windowSeconds);
        clock.time += resetSeconds * 1_000 + windowSlack(limit, resetSeconds);
        expect(await limiter.take(key, limit, 0)).toMatchObject({ remaining: limit.requests, resetSeconds: 0 });
      }),
      { numRuns },
    );
  });

  it('counts, under a changed limit, all grants still in the window of the former one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(limits, { minLength: 2, maxLength: 3 }), steps, async (changing, sequence) => {
        const { limiter, clock } = subject();
        const [key, log] = [randomUUID(), new Log()];
        for (const [i, step] of sequence.entries()) {
          const limit = changing[i % changing.length] as RateLimit;
          clock.time += pass(limit, step);
          log.forgetBefore(clock.time - limit.windowSeconds * 1_000);
          const { granted } = await limiter.take(key, limit, step.cost);
          const fits = step.cost === 0 || log.since(0) + step.cost <= limit.requests;
          expect(granted && !fits).toBe(false);
          if (granted) log.add(clock.time, step.cost);
        }
      }),
      { numRuns },
    );
  });

  it('never grants more because the clock was set back', async () => {
    const set = fc.array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(5_000)), { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(limits, steps, set, async (limit, sequence, setBack) => {
        const { limiter, clock } = subject();
        const [key, log] = [randomUUID(), new Log()];
        let time = clock.time;
        for (const [i, step] of sequence.entries()) {
          time += pass(limit, step);
          clock.time += pass(limit, step) - (setBack[i] ?? 0) * limit.windowSeconds;
          const { granted } = await limiter.take(key, limit, step.cost);
          const fits = step.cost === 0 || log.since(time - limit.windowSeconds * 1_000) + step.cost <= limit.requests;
          expect(granted && !fits).toBe(false);
          if (granted) log.add(time, step.cost);
        }
        clock.time += limit.windowSeconds * 1_010;
        expect((await limiter.take(key, limit, limit.requests)).granted).toBe(true);
      }),
      { numRuns },
    );
  });

  it('reports no wait beyond the window, however short it is', async () => {
    const { limiter, clock } = subject();
    for (const windowSeconds of [1, 5, 30]) {
      const [key, limit] = [randomUUID(), { requests: 1, windowSeconds }];
      clock.time = Math.ceil(clock.time / 300) * 300;
      const granted = await limiter.take(key, limit, 1);
      const refused = await limiter.take(key, limit, 1);
      expect([granted.resetSeconds, refused.resetSeconds, refused.retryAfterSeconds]).toEqual([
        windowSeconds,
        windowSeconds,
        windowSeconds,
      ]);
    }
  });

  it('locks no key out after the clock was far ahead for a while', async () => {
    const { limiter, clock } = subject();
    const [key, limit] = [randomUUID(), { requests: 10, windowSeconds: 60 }];
    clock.time += 365 * 86_400_000;
    expect((await limiter.take(key, limit, 10)).granted).toBe(true);
    clock.time -= 365 * 86_400_000;
    expect(await limiter.take(key, limit, 1)).toMatchObject({ granted: false, retryAfterSeconds: 60 });
    clock.time += 60_600;
    expect((await limiter.take(key, limit, 10)).granted).toBe(true);
  });

  it('grants a cost of 0 with nothing left, and never a cost above the limit, without advising an immediate retry', async () => {
    const { limiter } = subject();
    const [key, limit] = [randomUUID(), { requests: 10, windowSeconds: 60 }];
    const never = { granted: false, limit: 10, remaining: 10, resetSeconds: 60, retryAfterSeconds: 60 };
    expect(await limiter.take(key, limit, 11)).toMatchObject(never);
    expect(await limiter.take(key, limit, 10)).toMatchObject({ granted: true, remaining: 0, retryAfterSeconds: 0 });
    expect(await limiter.take(key, limit, 0)).toMatchObject({ granted: true, remaining: 0, retryAfterSeconds: 0 });
    expect((await limiter.take(key, limit, 1)).granted).toBe(false);
  });
}
