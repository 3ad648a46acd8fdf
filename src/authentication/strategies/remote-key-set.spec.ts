import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Clock } from '../../config/clock.js';
import { RemoteKeySet } from './remote-key-set.js';

class SteppedClock extends Clock {
  time = 0;

  now(): number {
    return this.time;
  }

  steady(): number {
    return this.time;
  }
}

const jwk = (kid: string) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' };
};
const [old, current] = [jwk('old'), jwk('current')];
const MAX_AGE_SECONDS = 60;

let server: Server;
let url: string;
let fetches: number;
let answer: (response: ServerResponse) => void;
let clock: SteppedClock;
let keySet: RemoteKeySet;

const holding = (...keys: object[]) => {
  answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
};
const failing = () => (answer = (response) => response.writeHead(500).end());
const hanging = (): ServerResponse[] => {
  const held: ServerResponse[] = [];
  answer = (response) => held.push(response);
  return held;
};
const find = (kid: string) =>
  keySet.find({ alg: 'ES256', kid }).then(
    () => 'found',
    (error: { code: string }) => error.code,
  );
const NO_SUCH_KEY = 'ERR_JWKS_NO_MATCHING_KEY';

beforeEach(async () => {
  server = createServer((_, response) => {
    fetches++;
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  fetches = 0;
  clock = new SteppedClock();
  keySet = new RemoteKeySet(url, MAX_AGE_SECONDS, clock);
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

it('trusts a key that was taken out of the set until the set has its age, and no longer', async () => {
  holding(old, current);
  expect(await find('old')).toBe('found');
  holding(current);
  clock.time += (MAX_AGE_SECONDS / 2) * 1_000;
  expect([await find('old'), fetches]).toEqual(['found', 1]);
  clock.time += (MAX_AGE_SECONDS / 2) * 1_000 + 1;
  expect([await find('old'), await find('current'), fetches]).toEqual([NO_SUCH_KEY, 'found', 2]);
});

it('is fetched in the background before it is too old, without letting anybody wait', async () => {
  holding(old);
  await find('old');
  const held = hanging();
  clock.time += MAX_AGE_SECONDS * 1_000;
  expect([await find('old'), await find('old')]).toEqual(['found', 'found']);
  while (held.length === 0) await new Promise(setImmediate);
  expect([held.length, fetches]).toEqual([1, 2]);
});

it('is fetched for a key that it lacks, but not over and over', async () => {
  holding(old);
  expect([await find('old'), await find('current'), fetches]).toEqual(['found', NO_SUCH_KEY, 1]);
  holding(old, current);
  clock.time += 10_000;
  expect([await find('current'), await find('made up'), fetches]).toEqual(['found', NO_SUCH_KEY, 2]);
});

it('lets those go on whose key it has, while it is fetched for others', async () => {
  holding(old);
  await find('old');
  const held = hanging();
  clock.time += 10_000;
  const unknown = find('made up');
  expect(await find('old')).toBe('found');
  while (held.length === 0) await new Promise(setImmediate);
  server.closeAllConnections();
  // Perhaps it is there by now: that cannot be told
  expect([await unknown, await find('made up'), await find('old')]).toEqual(['unavailable', 'unavailable', 'found']);
});

it('is fetched once for however many wait, and refuses more than may', async () => {
  const held = hanging();
  const waiting = Array.from({ length: 500 }, () => find('old'));
  expect(await find('old')).toBe('unavailable');
  while (held.length === 0) await new Promise(setImmediate);
  holding(old);
  answer(held[0] as ServerResponse);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['found']));
  expect(fetches).toBe(1);
});

it('is used for ten minutes more while it cannot be fetched, once that was tried, and not beyond', async () => {
  holding(old);
  await find('old');
  failing();
  clock.time += MAX_AGE_SECONDS * 1_000 + 1;
  expect([await find('old'), fetches]).toEqual(['found', 2]);
  clock.time += 500;
  expect([await find('old'), fetches]).toEqual(['found', 2]);
  // So long ago, the failure says nothing any more: a key may have been taken out since
  clock.time += 300_000;
  holding(current);
  expect(await find('old')).toBe(NO_SUCH_KEY);
  failing();
  clock.time += 600_000 + MAX_AGE_SECONDS * 1_000 + 1;
  expect([await find('current'), await find('current')]).toEqual(['unavailable', 'unavailable']);
});
