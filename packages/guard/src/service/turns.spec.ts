import { setImmediate as settle } from 'node:timers/promises';
import { GuardUnavailableError } from '../unavailable-error.js';
import { at, TestClock } from '../../test/moments.js';
import { Turns } from './turns.js';

/** Questions that the test ends. */
class Questions {
  readonly clock = new TestClock();
  readonly turns = new Turns(this.clock);
  readonly asked: string[] = [];
  active = 0;
  private readonly open: (() => void)[] = [];

  ask(digest: string): Promise<string> {
    return this.turns.run(digest, async () => {
      this.asked.push(digest);
      this.active++;
      await new Promise<void>((resolve) => this.open.push(resolve));
      this.active--;
      return digest;
    });
  }

  async endOne(): Promise<void> {
    this.open.shift()?.();
    await settle();
  }
}

it('asks about a pair once at first, then for all that waited', async () => {
  const questions = new Questions();
  const answers = ['a', 'a', 'a', 'b'].map((digest) => questions.ask(digest));
  await settle();
  expect(questions.asked).toEqual(['a', 'b']);
  await questions.endOne();
  expect(questions.asked).toEqual(['a', 'b', 'a', 'a']);
  for (let i = 0; i < 3; i++) await questions.endOne();
  expect(await Promise.all(answers)).toEqual(['a', 'a', 'a', 'b']);
});

it('asks for those that waited also if the first failed', async () => {
  const turns = new Turns(new TestClock());
  const failed = turns.run('a', () => Promise.reject(new Error('no')));
  const next = turns.run('a', () => 'asked');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('asked');
});

it('asks 64 questions at once', async () => {
  const questions = new Questions();
  const answers = Array.from({ length: 200 }, (_, i) => questions.ask(String(i)));
  await settle();
  expect(questions.active).toBe(64);
  for (let i = 0; i < 200; i++) {
    await questions.endOne();
    expect(questions.active).toBe(Math.min(64, 199 - i));
  }
  expect(await Promise.all(answers)).toHaveLength(200);
  expect(questions.asked).toHaveLength(200);
});

it('lets 10,000 wait, and no more; when they have been asked, there is room again', async () => {
  const questions = new Questions();
  const waiting = Array.from({ length: 64 + 10_000 }, (_, i) => questions.ask(String(i)));
  await expect(questions.ask('one more')).rejects.toThrow(GuardUnavailableError);
  await expect(questions.ask('0')).rejects.toThrow(GuardUnavailableError);
  for (let i = 0; i < waiting.length; i++) await questions.endOne();
  await Promise.all(waiting);
  expect(questions.asked).toHaveLength(waiting.length);
  const later = questions.ask('later');
  await questions.endOne();
  expect(await later).toBe('later');
});

it('does not ask for those that have waited for two seconds', async () => {
  const questions = new Questions();
  const answers = Array.from({ length: 66 }, (_, i) => questions.ask(String(i)));
  const [late, later] = answers.slice(64);
  await settle();
  questions.clock.time = at(2_001);
  const fresh = questions.ask('fresh');
  await settle();
  await questions.endOne();
  await expect(late).rejects.toThrow(GuardUnavailableError);
  await expect(later).rejects.toThrow(GuardUnavailableError);
  expect(questions.asked.at(-1)).toBe('fresh');
  for (let i = 0; i < 64; i++) await questions.endOne();
  expect(await fresh).toBe('fresh');
});
