import { OwnerReads } from './owner-reads.js';

/** Work that ends when the test says so. */
function pendingWork(): { work: () => Promise<string>; finish: () => void } {
  let finish = (): void => undefined;
  const promise = new Promise<string>((resolve) => (finish = () => resolve('done')));
  return { work: () => promise, finish: () => finish() };
}

it("runs one owner's reads one at a time, and others' meanwhile", async () => {
  const reads = new OwnerReads();
  const first = pendingWork();
  const started: string[] = [];
  const answers = [
    reads.run('ann', first.work),
    reads.run('ann', async () => started.push('ann')),
    reads.run('bob', async () => started.push('bob')),
  ];
  await answers[2];
  expect(started).toEqual(['bob']);
  first.finish();
  await Promise.all(answers);
  expect(started).toEqual(['bob', 'ann']);
});

it('pauses after a read for twice its duration', async () => {
  const reads = new OwnerReads();
  const startedAt = performance.now();
  await reads.run('ann', () => new Promise((resolve) => setTimeout(resolve, 40)));
  await reads.run('ann', async () => undefined);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(110);
});

it('rejects reads beyond 50 that wait, and lets the next one run after a failure', async () => {
  const reads = new OwnerReads();
  const first = pendingWork();
  const running = reads.run('ann', first.work);
  const waiting = Array.from({ length: 50 }, async () => reads.run('ann', async () => undefined));
  await expect(reads.run('ann', async () => undefined)).rejects.toMatchObject({ code: 'unavailable' });
  first.finish();
  await Promise.all([running, ...waiting]);
  await expect(reads.run('bob', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(reads.run('bob', async () => 'next')).resolves.toBe('next');
});
