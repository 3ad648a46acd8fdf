import type { ApiKey } from '../../api-keys/api-key.entity.js';
import { BatchedReads } from './batched-reads.js';

/** Reads whose statements settle when the test says so. */
function controlledReads() {
  const statements: { apiKeys: string[]; answer(): void; fail(error: Error): void }[] = [];
  const reads = new BatchedReads(
    (apiKeys) =>
      new Promise((resolve, reject) => {
        const answer = () =>
          resolve(apiKeys.filter((one) => one !== 'none').map((identifier) => ({ identifier }) as ApiKey));
        statements.push({ apiKeys, answer, fail: reject });
      }),
  );
  return { reads, statements };
}

/** Runs everything that does not wait for an answer. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('carries all waiting keys in the next statement, each once', async () => {
  const { reads, statements } = controlledReads();
  const first = reads.read('a');
  await settle();
  const others = Promise.all(['b', 'c', 'b', 'none'].map((one) => reads.read(one)));
  await settle();
  expect(statements.map(({ apiKeys }) => apiKeys)).toEqual([['a']]);
  statements[0]?.answer();
  expect(await first).toEqual({ identifier: 'a' });
  await settle();
  expect(statements[1]?.apiKeys).toEqual(['b', 'c', 'none']);
  statements[1]?.answer();
  expect(await others).toEqual([{ identifier: 'b' }, { identifier: 'c' }, { identifier: 'b' }, null]);
});

it('reads a key again that is being read: that read may have started before a change', async () => {
  const { reads, statements } = controlledReads();
  const first = reads.read('a');
  await settle();
  const second = reads.read('a');
  statements[0]?.answer();
  await settle();
  expect(statements.map(({ apiKeys }) => apiKeys)).toEqual([['a'], ['a']]);
  statements[1]?.answer();
  await Promise.all([first, second]);
});

it('fails the waiting reads with a failed statement, and recovers', async () => {
  const { reads, statements } = controlledReads();
  const failing = [reads.read('a')];
  await settle();
  // More than fit in one statement
  for (let i = 0; i < 2_500; i++) failing.push(reads.read(`b${i}`));
  statements[0]?.fail(new Error('no answer'));
  const outcomes = await Promise.allSettled(failing);
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(statements).toHaveLength(1);
  const later = reads.read('c');
  await settle();
  statements[1]?.answer();
  expect(await later).toEqual({ identifier: 'c' });
});

it('carries at most 1,000 keys in a statement', async () => {
  const { reads, statements } = controlledReads();
  const all = Promise.all(Array.from({ length: 2_500 }, (_, i) => reads.read(`a${i}`)));
  for (const size of [1_000, 1_000, 500]) {
    await settle();
    expect(statements.at(-1)?.apiKeys).toHaveLength(size);
    statements.at(-1)?.answer();
  }
  expect(await all).toHaveLength(2_500);
});
