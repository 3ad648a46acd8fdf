import type { DataSource } from 'typeorm';
import type { Environment } from '../../config/environment.js';
import { changeHandle } from '@w3ipfs/api-keys-guard/decision';
import type { InvalidationFeed, InvalidationListener, Reached } from '../../verification/invalidation-feed.js';
import { momentNow } from '../../verification/moment.js';
import { GuardChanges } from './guard-changes.js';
import { OlderChanges } from './older-changes.js';

const ENVIRONMENT = { revocationBoundMs: 1_000 } as Environment;
const EPOCH = 'an epoch';

/** A feed that is polled by hand. */
class PolledFeed {
  reached: Reached | undefined;
  private listener: InvalidationListener | undefined;

  get position() {
    return this.reached?.position;
  }

  get age(): number {
    return performance.now() - (this.reached?.polledAt.steady ?? 0);
  }

  subscribe(listener: InvalidationListener): void {
    this.listener = listener;
  }

  /** A poll that finds the changes of these transactions, and reaches a position. */
  poll(oldest: string, changes: [identifier: string, transactionId: string][] = []): void {
    this.listener?.changed(changes.map(([identifier, transactionId]) => ({ identifier, transactionId })));
    this.reached = { position: { epoch: EPOCH, oldest }, polledAt: momentNow() };
    this.listener?.polled?.(this.reached.position);
  }
}

/** Changes of a process whose log reaches back to transaction 100, and whose reads of the table are answered by hand. */
function changesFrom100() {
  const reads: ((rows: object[]) => void)[] = [];
  const dataSource = { query: () => new Promise((resolve) => reads.push(resolve)) } as unknown as DataSource;
  const feed = new PolledFeed();
  const asFeed = feed as unknown as InvalidationFeed;
  const changes = new GuardChanges(asFeed, new OlderChanges(dataSource, asFeed), ENVIRONMENT);
  feed.poll('100');
  feed.poll('100');
  const ask = (since: bigint, waitMs = 0) => changes.ask({ since, epoch: EPOCH, waitMs }, undefined);
  return { feed, reads, ask };
}

it('answers from the table with what had been reached before it was read: later changes may be missing in it', async () => {
  const { feed, reads, ask } = changesFrom100();
  const first = ask(50n);
  await Promise.resolve();
  feed.poll('120', [['revoked meanwhile', '110']]);
  // It shares the first one's read
  const second = ask(50n);
  await Promise.resolve();
  reads[0]?.([{ transaction_id: '60', api_key: 'long ago' }]);
  for (const { position, changed } of await Promise.all([first, second])) {
    expect(changed.map(({ h }) => h)).toEqual([changeHandle('long ago')]);
    expect(position.oldest).toBe('100');
  }
  expect(reads).toHaveLength(1);
  const { changed } = await ask(100n);
  expect(changed.map(({ h }) => h)).toEqual([changeHandle('revoked meanwhile')]);
});

it('answers a client that is not known to be a guard at once if its answer passes a change, and otherwise at the next one', async () => {
  const { feed, ask } = changesFrom100();
  feed.poll('100', [['changed', '105']]);
  const waiting = ask(100n, 1_000);
  const isAnswered = async () => Promise.race([waiting.then(() => true), Promise.resolve(false)]);
  expect(await isAnswered()).toBe(false);
  feed.poll('100', [['changed too', '106']]);
  expect((await waiting).changed).toHaveLength(2);
  feed.poll('110');
  expect((await ask(100n, 60_000)).heldMs).toBeLessThan(30_000);
}, 30_000);
