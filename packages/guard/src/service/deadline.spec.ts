import { startDeadline } from './deadline.js';
import { eventually } from '../../test/eventually.js';

/** Keeps the event loop busy. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

it('calls back after the time', async () => {
  const began = performance.now();
  const calledAt = await new Promise<number>((resolve) => {
    // Deadlines do not keep a process alive
    const alive = setInterval(() => undefined, 1_000);
    startDeadline(40, () => {
      clearInterval(alive);
      resolve(performance.now());
    });
  });
  expect(calledAt - began).toBeGreaterThanOrEqual(36);
});

it('does not call back after it was cancelled', async () => {
  const called: string[] = [];
  const cancel = startDeadline(20, () => called.push('cancelled'));
  startDeadline(60, () => called.push('other'));
  cancel();
  await eventually(() => expect(called).toContain('other'));
  expect(called).toEqual(['other']);
});

it('lets a process that was busy read what has arrived first', async () => {
  const order: string[] = [];
  startDeadline(100, () => order.push('deadline'));
  block(400);
  // What a socket would do: three turns of the event loop
  setImmediate(() => setImmediate(() => setImmediate(() => order.push('read'))));
  await eventually(() => expect(order).toHaveLength(2));
  expect(order).toEqual(['read', 'deadline']);
});
