import { KeyedConcurrency } from './keyed-concurrency.js';

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

it('runs the work of one key in turns, without letting another key wait', async () => {
  const turns = new KeyedConcurrency({ running: 1, queued: 10 }, 'Too many.');
  const held = gate();
  const order: string[] = [];
  const first = turns.run('a', () => held.opened.then(() => order.push('a1')));
  const second = turns.run('a', async () => order.push('a2'));
  await turns.run('b', async () => order.push('b'));
  expect(order).toEqual(['b']);
  held.open();
  await Promise.all([first, second]);
  expect(order).toEqual(['b', 'a1', 'a2']);
});

it('rejects whoever comes when too many wait, and forgets a key that has nothing left to do', async () => {
  const turns = new KeyedConcurrency({ running: 1, queued: 1 }, 'Too many.');
  const held = gate();
  const first = turns.run('a', () => held.opened);
  const second = turns.run('a', async () => 'done');
  await expect(turns.run('a', async () => 'never')).rejects.toThrow('Too many. Try again in a moment.');
  held.open();
  await first;
  expect(await second).toBe('done');
  await expect(turns.run('a', () => Promise.reject(new Error('its own')))).rejects.toThrow('its own');
  expect(turns.size).toBe(0);
});
