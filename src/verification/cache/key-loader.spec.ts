import type { ApiKey } from '../../api-keys/api-key.entity.js';
import { KeyLoader } from './key-loader.js';

/** Reads that are answered when told to. */
function heldRereads() {
  const statements: { apiKeys: string[]; answer(): void; fail(error: Error): void }[] = [];
  const rereads = new KeyLoader(
    (apiKeys) =>
      new Promise((resolve, reject) => {
        const answer = () =>
          resolve(apiKeys.filter((one) => one !== 'none').map((identifier) => ({ identifier }) as ApiKey));
        statements.push({ apiKeys, answer, fail: reject });
      }),
  );
  return { rereads, statements };
}

/** Until all that can go on without an answer has. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('carries all that wait in the next statement, each key once', async () => {
  const { rereads, statements } = heldRereads();
  const first = rereads.read('a');
  await settle();
  const others = Promise.all(['b', 'c', 'b', 'none'].map((one) => rereads.read(one)));
  await settle();
  expect(statements.map(({ apiKeys }) => apiKeys)).toEqual([['a']]);
  statements[0]?.answer();
  expect(await first).toEqual({ identifier: 'a' });
  await settle();
  expect(statements[1]?.apiKeys).toEqual(['b', 'c', 'none']);
  statements[1]?.answer();
  expect(await others).toEqual([{ identifier: 'b' }, { identifier: 'c' }, { identifier: 'b' }, null]);
});

it('asks anew for a key that is being read: that may have begun before a change', async () => {
  const { rereads, statements } = heldRereads();
  const first = rereads.read('a');
  await settle();
  const second = rereads.read('a');
  statements[0]?.answer();
  await settle();
  expect(statements.map(({ apiKeys }) => apiKeys)).toEqual([['a'], ['a']]);
  statements[1]?.answer();
  await Promise.all([first, second]);
});

it('lets those that wait behind a failure fail with it, and starts anew', async () => {
  const { rereads, statements } = heldRereads();
  const failing = [rereads.read('a')];
  await settle();
  // More than one statement carries
  for (let i = 0; i < 2_500; i++) failing.push(rereads.read(`b${i}`));
  statements[0]?.fail(new Error('no answer'));
  const outcomes = await Promise.allSettled(failing);
  expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(statements).toHaveLength(1);
  const later = rereads.read('c');
  await settle();
  statements[1]?.answer();
  expect(await later).toEqual({ identifier: 'c' });
});

it('carries no more than 1,000 keys in a statement', async () => {
  const { rereads, statements } = heldRereads();
  const all = Promise.all(Array.from({ length: 2_500 }, (_, i) => rereads.read(`a${i}`)));
  for (const size of [1_000, 1_000, 500]) {
    await settle();
    expect(statements.at(-1)?.apiKeys).toHaveLength(size);
    statements.at(-1)?.answer();
  }
  expect(await all).toHaveLength(2_500);
});
