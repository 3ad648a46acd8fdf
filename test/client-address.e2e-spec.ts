import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const TEST = '/api/apiKeys/testAuthentication';
const AUTHORIZE = '/api/apiKeys/authorize?scope=admin';

let database: TestDatabase;
let service: TestService;
let office: IssuedKey;
let local: IssuedKey;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(() => service.stop());

async function start(trustedProxies: string): Promise<void> {
  service = await startService({ TRUSTED_PROXIES: trustedProxies }, database);
  const allowing = (...allowed_cidrs: string[]) =>
    issueKey(service.client, 'ann', { name: 'from there', scopes: { admin: true }, limits: { allowed_cidrs } });
  office = await allowing('203.0.113.0/24', '2001:db8::/32');
  local = await allowing('127.0.0.1');
}

/** Whether a request with these hops counts as coming from a network of the key, on every path that checks it. */
async function isFrom(key: IssuedKey, forwarded?: string | string[]): Promise<boolean> {
  const headers = { ...pairHeaders(key), ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
  const tested = await service.client.get(TEST, headers);
  const authorized = await service.client.get(AUTHORIZE, headers);
  expect(authorized.status).toBe(tested.status);
  if (tested.status === 200) return true;
  expect([tested.status, tested.body.error.code]).toEqual([403, 'ip_not_allowed']);
  expect(authorized.headers['x-w3ipfs-code']).toBe('IP_NOT_ALLOWED');
  return false;
}

describe.each([
  ['none', ''],
  ['others', '10.0.0.0/8,::1'],
])('when the peer is not a trusted proxy (trusted: %s)', (_, trusted) => {
  it('uses the address of the peer, whatever headers it sends', async () => {
    await start(trusted);
    expect([await isFrom(local), await isFrom(office)]).toEqual([true, false]);
    for (const forged of ['203.0.113.7', '203.0.113.7, 10.0.0.1', ['203.0.113.7', '203.0.113.7'], '', 'nonsense'])
      expect([forged, await isFrom(local, forged), await isFrom(office, forged)]).toEqual([forged, true, false]);
  });
});

it.each(['127.0.0.1,10.0.0.0/8,fd00::/8', '::ffff:127.0.0.0/104, 10.0.0.0/8, fd00::/8'])(
  'uses the last hop that is not a trusted proxy, with %s',
  async (trusted) => {
    await start(trusted);
    for (const hops of [
      '203.0.113.7',
      ' 203.0.113.7 ',
      '::ffff:203.0.113.7',
      '::ffff:cb00:7107',
      '2001:DB8::7',
      '203.0.113.7, 10.0.0.1',
      '203.0.113.7,10.0.0.1,::ffff:10.0.0.2,fd00::1',
      '198.51.100.1, 203.0.113.7',
      'nonsense, 203.0.113.7, 10.0.0.1',
      '203.0.113.7, , 10.0.0.1,',
      ['198.51.100.1', '203.0.113.7', '10.0.0.1'],
      '203.0.113.7:4711',
      '"203.0.113.7"',
      '"203.0.113.7:4711"',
      '"203.0.113.7:_port"',
      '[2001:db8::7]',
      '[2001:db8::7]:4711',
      '"[2001:db8::7]:4711"',
      '[::ffff:203.0.113.7]:4711',
      '2001:db8::7%eth0',
      '"[2001:db8::7%25eth0]:4711"',
      '203.0.113.7:4711, 10.0.0.1:4712, [fd00::1]:4713',
      '198.51.100.1:1, "203.0.113.7:4711", "10.0.0.1:4712",',
    ])
      expect([hops, await isFrom(office, hops), await isFrom(local, hops)]).toEqual([hops, true, false]);
    for (const hops of [
      '203.0.113.7, 198.51.100.1',
      '203.0.113.7, 198.51.100.1, 10.0.0.1',
      '203.0.113.7, nonsense',
      '203.0.113.7, nonsense, 10.0.0.1',
      '203.0.113.07',
      '203.0.113.7:',
      '203.0.113.7:123456',
      '203.0.113.7:port',
      '203.0.113.7:4711:4711',
      '"203.0.113.7',
      '""203.0.113.7""',
      '[203.0.113.7]:4711',
      '[2001:db8::7',
      '2001:db8::7]',
      '203.0.113.7%eth0',
      '""',
      '_hidden',
      '203.0.113.7:4711, 198.51.100.1:4711',
      '203.0.113.7, "10.0.0.1',
      '10.0.0.1',
      'unknown',
      ['203.0.113.7', '198.51.100.1'],
    ])
      expect([hops, await isFrom(office, hops), await isFrom(local, hops)]).toEqual([hops, false, false]);
    for (const hops of [undefined, '', ' , '])
      expect([hops, await isFrom(office, hops), await isFrom(local, hops)]).toEqual([hops, false, true]);
    // A key without networks can be used from anywhere
    const key = await issueKey(service.client, 'ann', powerlessBody);
    for (const hops of ['nonsense', '203.0.113.7', ''])
      expect((await service.client.get(TEST, { ...pairHeaders(key), 'x-forwarded-for': hops })).status).toBe(200);
  },
);

it('is recorded normalised in the audit trail', async () => {
  await start('127.0.0.1');
  for (const [hop, ip] of [
    ['203.0.113.9:4711', '203.0.113.9'],
    ['"[2001:DB8::9]:4711"', '2001:db8::9'],
    ['[::ffff:203.0.113.10]', '203.0.113.10'],
  ] as const) {
    const headers = { ...sessionOf('ann'), 'x-forwarded-for': hop };
    const key = issued(await service.client.post('/api/apiKeys', headers, powerlessBody));
    const path = `/api/apiKeys/events?api_key_id=${key.id}`;
    const [event] = (await service.client.get(path, sessionOf('ann'))).body.data.events;
    expect([hop, event.ip]).toEqual([hop, ip]);
  }
});
