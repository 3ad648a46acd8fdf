import { EventEmitter } from 'node:events';
import { Logger } from '@nestjs/common';
import { jest } from '@jest/globals';
import type { SafeClient } from '../database/safe-client.js';
import { InvalidationNotifications } from './invalidation-notifications.js';

/** A connection whose server answers `LISTEN` as it is told to. */
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
let heard: string[];
let notifications: InvalidationNotifications;
beforeEach(() => {
  warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
  heard = [];
  notifications = new InvalidationNotifications((apiKey) => heard.push(apiKey), 200);
});
afterEach(() => jest.restoreAllMocks());

it('hears of what the database notifies', async () => {
  const client = clientOf();
  await notifications.listen(client);
  client.emit('notification', { payload: 'w3k_a' });
  expect(heard).toEqual(['w3k_a']);
  expect(warnings).not.toHaveBeenCalled();
});

it.each([
  ['that knows no LISTEN, as YugabyteDB', '0A000'],
  ['that lets nobody listen', '42501'],
])('goes on without, and says so once, on a server %s', async (_, code) => {
  for (let connections = 0; connections < 3; connections++) await notifications.listen(clientOf(refusalWith(code)));
  expect(warnings.mock.calls).toEqual([
    [expect.stringMatching(/no changes \(LISTEN: .*LISTEN is not supported.*\).* by the poll alone, every 200 ms\.$/)],
  ]);
});

it('goes on without behind a pooler', async () => {
  await notifications.listen(clientOf(undefined, true));
  expect(warnings.mock.calls).toEqual([[expect.stringContaining('(a pooler hands out its connections)')]]);
});

it('fails where the database is away, or for a reason of our own', async () => {
  await expect(notifications.listen(clientOf(refusalWith('57P01')))).rejects.toThrow('not supported');
  await expect(notifications.listen(clientOf(new TypeError('a defect')))).rejects.toThrow(TypeError);
  expect(warnings).not.toHaveBeenCalled();
});
