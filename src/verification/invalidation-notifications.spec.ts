import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import type { SafeClient } from '../database/safe-client.js';
import { InvalidationNotifications } from './invalidation-notifications.js';

/** A connection whose server accepts `LISTEN`, or rejects it with an error. */
class FakeClient extends EventEmitter {
  constructor(
    readonly isPooled: () => Promise<boolean>,
    private readonly refusal?: Error,
  ) {
    super();
  }

  async query(): Promise<object> {
    if (this.refusal) throw this.refusal;
    return {};
  }
}

const refusalWith = (code: string) => Object.assign(new Error('LISTEN is not supported'), { code });
const clientOf = (refusal?: Error, isPooled = false) =>
  new FakeClient(async () => isPooled, refusal) as FakeClient & SafeClient;

let warnings: jest.SpiedFunction<Logger['warn']>;
let reported: unknown[];
let notifications: InvalidationNotifications;
beforeEach(() => {
  warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  reported = [];
  notifications = new InvalidationNotifications((invalidation) => reported.push(invalidation), 200);
});
afterEach(() => jest.restoreAllMocks());

it('reports what the database notifies', async () => {
  const client = clientOf();
  await notifications.listen(client);
  client.emit('notification', { payload: 'w3k_a 757' });
  // Of a process of an earlier release
  client.emit('notification', { payload: 'w3k_b' });
  expect(reported).toEqual([
    { identifier: 'w3k_a', transactionId: '757' },
    { identifier: 'w3k_b', transactionId: null },
  ]);
  expect(warnings).not.toHaveBeenCalled();
});

it.each([
  ['that does not support LISTEN, such as YugabyteDB', '0A000'],
  ['that does not permit LISTEN', '42501'],
])('works without notifications, and warns once, on a server %s', async (_, code) => {
  for (let connections = 0; connections < 3; connections++) await notifications.listen(clientOf(refusalWith(code)));
  expect(warnings.mock.calls).toEqual([
    [
      expect.stringMatching(
        /no notifications \(LISTEN: .*LISTEN is not supported.*\).* found only by the poll, every 200 ms\.$/,
      ),
    ],
  ]);
});

it('works without notifications behind a pooler', async () => {
  await notifications.listen(clientOf(undefined, true));
  expect(warnings.mock.calls).toEqual([[expect.stringContaining('(a pooler shares its connections)')]]);
});

it('fails if the database is unavailable, or because of a defect', async () => {
  await expect(notifications.listen(clientOf(refusalWith('57P01')))).rejects.toThrow('not supported');
  await expect(notifications.listen(clientOf(new TypeError('a defect')))).rejects.toThrow(TypeError);
  expect(warnings).not.toHaveBeenCalled();
});
