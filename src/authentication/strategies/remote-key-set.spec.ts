import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import jwt from 'jsonwebtoken';
import { until } from '../../../test/support/until.js';
import { Clock } from '../../clock.js';
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

const privateKeys = new Map<string, KeyObject>();
const jwk = (kid: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  privateKeys.set(kid, privateKey);
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' };
};
const [old, current] = [jwk('old'), jwk('current')];
jwk('unknown');
/** As the account service publishes it, and signs with it: without a name. */
const nameless = (key: object) => ({ ...key, kid: undefined });
const MAX_AGE_SECONDS = 60;
const HOUR_MS = 3_600_000;

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
  const pending: ServerResponse[] = [];
  answer = (response) => pending.push(response);
  return pending;
};
const NO_SUCH_KEY = 'no such key';
const signedWith = (kid: string, header: { kid?: string }) => {
  const keyid = header.kid === undefined ? {} : { keyid: header.kid };
  const token = jwt.sign({ sub: 'ann' }, privateKeys.get(kid)!, { algorithm: 'ES256', ...keyid });
  return keySet
    .find((set) => set.signerOf(token, { alg: 'ES256', ...header }))
    .then(
      (key) => (key ? 'found' : NO_SUCH_KEY),
      (error: { code: string }) => error.code,
    );
};
const find = (kid: string) => signedWith(kid, { kid });
const findNameless = (kid: string) => signedWith(kid, {});
const said = (level: 'log' | 'warn' | 'error') => jest.spyOn(Logger.prototype, level).mockReturnValue(undefined);
let warnings: ReturnType<typeof said>;

beforeEach(async () => {
  jest.restoreAllMocks();
  said('log');
  warnings = said('warn');
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
  const pending = hanging();
  clock.time += MAX_AGE_SECONDS * 1_000;
  expect([await find('old'), await find('old')]).toEqual(['found', 'found']);
  while (pending.length === 0) await new Promise(setImmediate);
  expect([pending.length, fetches]).toEqual([1, 2]);
});

it('is fetched for a key that it lacks, but not over and over', async () => {
  holding(old);
  expect([await find('old'), await find('current'), fetches]).toEqual(['found', NO_SUCH_KEY, 1]);
  holding(old, current);
  clock.time += 10_000;
  expect([await find('current'), await find('unknown'), fetches]).toEqual(['found', NO_SUCH_KEY, 2]);
});

it('lets those go on whose key it has, while it is fetched for others', async () => {
  holding(old);
  await find('old');
  const pending = hanging();
  clock.time += 10_000;
  const unknown = find('unknown');
  expect(await find('old')).toBe('found');
  while (pending.length === 0) await new Promise(setImmediate);
  server.closeAllConnections();
  // Perhaps the set has it by now: that is unknown
  expect([await unknown, await find('unknown'), await find('old')]).toEqual(['unavailable', 'unavailable', 'found']);
});

it('is fetched once for however many wait, and refuses more than may', async () => {
  const pending = hanging();
  const waiting = Array.from({ length: 500 }, () => find('old'));
  expect(await find('old')).toBe('unavailable');
  while (pending.length === 0) await new Promise(setImmediate);
  holding(old);
  answer(pending[0] as ServerResponse);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['found']));
  expect(fetches).toBe(1);
});

it('is used for an hour more while it cannot be fetched, once that was tried, and not beyond', async () => {
  holding(old);
  await find('old');
  failing();
  clock.time += MAX_AGE_SECONDS * 1_000 + 1;
  expect([await find('old'), fetches]).toEqual(['found', 2]);
  clock.time += 500;
  expect([await find('old'), fetches]).toEqual(['found', 2]);
  // The failure is too long ago to count: a key may have been removed since
  clock.time += 300_000;
  holding(current);
  expect(await find('old')).toBe(NO_SUCH_KEY);
  failing();
  clock.time += HOUR_MS + MAX_AGE_SECONDS * 1_000 + 1;
  expect([await find('current'), await find('current')]).toEqual(['unavailable', 'unavailable']);
});

describe('a set that rotates while it is cached', () => {
  it('takes tokens of its new key, which name none, within seconds', async () => {
    holding(nameless(old));
    expect(await findNameless('old')).toBe('found');
    holding(nameless(current));
    clock.time += 5_000;
    expect([await findNameless('current'), await findNameless('old'), fetches]).toEqual(['found', NO_SUCH_KEY, 2]);
  });

  it('does so where both keys have one name, too', async () => {
    holding({ ...old, kid: 'the key' });
    expect(await signedWith('old', { kid: 'the key' })).toBe('found');
    holding({ ...current, kid: 'the key' });
    clock.time += 5_000;
    expect([await signedWith('current', { kid: 'the key' }), fetches]).toEqual(['found', 2]);
  });

  it('is fetched once in five seconds, however many made-up tokens come, and whatever they name', async () => {
    holding(nameless(old));
    await findNameless('old');
    clock.time += 5_000;
    for (let second = 0; second < 10; second++) {
      const junk = Array.from({ length: 50 }, (_, index) =>
        index % 2 === 0 ? findNameless('unknown') : signedWith('unknown', { kid: `${index}` }),
      );
      expect(new Set(await Promise.all(junk))).toEqual(new Set([NO_SUCH_KEY]));
      expect(await findNameless('old')).toBe('found');
      clock.time += 1_000;
    }
    expect(fetches).toBe(3);
  });

  it('is not asked again for what it lacks while it cannot be fetched', async () => {
    holding(nameless(old));
    await findNameless('old');
    failing();
    clock.time += 5_000;
    expect([await findNameless('unknown'), await findNameless('unknown')]).toEqual(['unavailable', 'unavailable']);
    expect([await findNameless('old'), fetches]).toEqual(['found', 2]);
  });

  it('keeps no token waiting that its keys have signed, behind however many that they have not', async () => {
    holding(nameless(old));
    await findNameless('old');
    const pending = hanging();
    clock.time += 5_000;
    const junk = Array.from({ length: 600 }, () => findNameless('unknown'));
    while (pending.length === 0) await new Promise(setImmediate);
    expect(await findNameless('old')).toBe('found');
    holding(nameless(current));
    answer(pending[0] as ServerResponse);
    const outcomes = await Promise.all(junk);
    expect(outcomes.filter((outcome) => outcome === NO_SUCH_KEY).length).toBeGreaterThanOrEqual(500);
    expect([new Set(outcomes).has('found'), fetches]).toEqual([false, 2]);
  });

  it('never takes a key again that was seen removed, though the set cannot be fetched any more', async () => {
    holding(old, current);
    await find('old');
    holding(current);
    clock.time += MAX_AGE_SECONDS * 1_000 + 1;
    expect(await find('old')).toBe(NO_SUCH_KEY);
    failing();
    for (let minute = 0; minute < 5; minute++) {
      clock.time += MAX_AGE_SECONDS * 1_000 + 1;
      expect([await find('current'), await find('old')]).toEqual(['found', 'unavailable']);
    }
  });
});

describe('reports as its problem', () => {
  it('none while it can be fetched', async () => {
    holding(old);
    expect([await keySet.problem(), fetches]).toEqual([undefined, 1]);
    clock.time += MAX_AGE_SECONDS * 1_000;
    expect(await keySet.problem()).toBeUndefined();
    await until(() => fetches === 2, 'the set to be fetched again');
    expect(await find('old')).toBe('found');
    expect(warnings).not.toHaveBeenCalled();
  });

  it('that it was never fetched, until it is', async () => {
    failing();
    await keySet.prepare();
    expect(await keySet.problem()).toEqual({ message: expect.stringContaining('never'), isMissing: true });
    holding(old);
    clock.time += 1_000;
    expect([await keySet.problem(), await find('old')]).toEqual([undefined, 'found']);
  });

  it('none to the first request after a failure at the start', async () => {
    failing();
    await keySet.prepare();
    holding(old);
    expect([await find('old'), fetches]).toEqual(['found', 2]);
  });

  it('how long the last good one is still used, or that it has expired', async () => {
    holding(old);
    await find('old');
    failing();
    clock.time += MAX_AGE_SECONDS * 1_000 + 1;
    expect(await find('old')).toBe('found');
    const message = 'cannot be fetched: the last good one is used for 60 more minutes';
    expect(await keySet.problem()).toEqual({ message, isMissing: false });
    clock.time += HOUR_MS;
    expect(await find('old')).toBe('unavailable');
    expect(await keySet.problem()).toEqual({
      message: 'cannot be fetched: no session can be verified',
      isMissing: false,
    });
  });

  it.each([
    ['no key at all', []],
    ['nothing that can be read as a key', [{ kty: 'RSA', n: '!', e: 'AQAB' }, { kty: 'EC' }, {}]],
    ['a key for encryption alone', [{ ...jwk('encrypts'), use: 'enc' }]],
    [
      'a key that is too short',
      [generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' })],
    ],
  ])('is one with %s: the last good one is kept, and it is said', async (_, keys) => {
    holding(old);
    await find('old');
    holding(...keys);
    clock.time += MAX_AGE_SECONDS * 1_000 + 1;
    expect(await find('old')).toBe('found');
    expect(await keySet.problem()).toMatchObject({ isMissing: false });
    const what = 'the set has no key that verifies sessions. The last good one is used for up to an hour.';
    expect(warnings.mock.calls).toEqual([[`The key set at ${new URL(url).host} cannot be fetched: ${what}`]]);
    holding(current);
    clock.time += 10_001;
    expect(await find('current')).toBe('found');
  });

  it('is in the log with its place and its cause, once a minute, and when it is over', async () => {
    const repeated = said('log');
    failing();
    keySet = new RemoteKeySet(url.replace('http://', 'http://user:word@'), MAX_AGE_SECONDS, clock);
    for (let second = 0; second < 61; second++) {
      await find('old');
      clock.time += 1_000;
    }
    const line = `The key set at ${new URL(url).host} cannot be fetched: the response has status 500. No session can be verified.`;
    expect(warnings.mock.calls).toEqual([[line], [`${line} The outage has lasted 60 s, with 61 failed attempts.`]]);
    holding(old);
    expect(await find('old')).toBe('found');
    expect(repeated.mock.calls).toEqual([
      [`The key set at ${new URL(url).host} is available again. The outage lasted 61 s, with 61 failed attempts.`],
    ]);
  });

  it('is said loudly where a key is private, and never what it is', async () => {
    const errors = said('error');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const leaked = privateKey.export({ format: 'jwk' });
    privateKeys.set('leaked', privateKey);
    holding(old, { ...leaked, kid: 'leaked', key_ops: ['sign'] });
    expect([await find('leaked'), await find('old')]).toEqual(['found', 'found']);
    clock.time += MAX_AGE_SECONDS * 1_000 + 1;
    expect(await find('leaked')).toBe('found');
    expect(errors.mock.calls).toEqual([
      [expect.stringMatching(/Key 2 of the set at 127\.0\.0\.1:\d+ .* PRIVATE half/)],
    ]);
    expect(JSON.stringify(errors.mock.calls)).not.toContain(leaked.d);
    clock.time += 600_000;
    await find('old');
    expect(errors).toHaveBeenCalledTimes(2);
  });
});
