import { TestClock } from './support/clock.js';
import { issueKey, noLimits, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceVariables, verify } from './support/verification.js';

const HOUR = 3_600_000;
/** Keys are issued by the host's time, and used by this clock. */
const clock = new TestClock(Date.now());
const started = clock.time;
const inHours = (hours: number) => new Date(started + hours * HOUR).toISOString();

const service = useService(serviceVariables, clock);
beforeEach(() => {
  clock.time = started;
});

const create = (limits: unknown) => service.client.post('/api/apiKeys', sessionOf('ann'), { ...powerlessBody, limits });

describe('limits that were given', () => {
  const every = {
    not_before: inHours(1),
    expires_at: inHours(2),
    max_uses: 5,
    rate_limit: { requests: 10, window_seconds: 60 },
    allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32'],
  };

  it.each(['not_before', 'expires_at', 'max_uses', 'rate_limit', 'allowed_cidrs', 'all'] as const)(
    'are returned wherever the key is: %s',
    async (name) => {
      const given = name === 'all' ? every : { [name]: every[name] };
      await expectShown(given, { ...noLimits, ...given });
    },
  );

  it.each([
    ['omitted', undefined, {}],
    ['empty', {}, {}],
    ['null, each of them', noLimits, {}],
    [
      'at their most',
      {
        not_before: '9999-12-31T23:59:58Z',
        expires_at: '9999-12-31t23:59:59.9999z',
        max_uses: 1e12,
        rate_limit: { requests: 1_000_000, window_seconds: 2_678_400 },
      },
      { not_before: '9999-12-31T23:59:58.000Z', expires_at: '9999-12-31T23:59:59.999Z' },
    ],
    [
      'at their least',
      { max_uses: 1, rate_limit: { requests: 1, window_seconds: 1 }, allowed_cidrs: ['::/0', '0.0.0.0/0'] },
      {},
    ],
    ['in another zone', { expires_at: '2999-01-01T01:30:00+02:00' }, { expires_at: '2998-12-31T23:30:00.000Z' }],
    [
      'networks in another spelling',
      { allowed_cidrs: ['192.0.2.7', '2001:DB8:0:0::/64', '::ffff:198.51.100.0/120'] },
      { allowed_cidrs: ['192.0.2.7/32', '2001:db8::/64', '198.51.100.0/24'] },
    ],
    ['the maximum number of networks', { allowed_cidrs: Array.from({ length: 64 }, (_, i) => `10.${i}.0.0/16`) }, {}],
  ])('are accepted when they are %s', async (_, given, normalised) => {
    const answer = await create(given);
    expect([answer.status, answer.body.data?.limits]).toEqual([200, { ...noLimits, ...given, ...normalised }]);
  });

  async function expectShown(given: object, shown: object): Promise<void> {
    const answer = await create(given);
    expect([answer.status, answer.body.data?.limits]).toEqual([200, shown]);
    const { id } = answer.body.data;
    const read = await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'));
    expect(read.body.data.limits).toEqual(shown);
    const listed = await service.client.get('/api/apiKeys/list?limit=1', sessionOf('ann'));
    expect(listed.body.data.api_keys[0]).toMatchObject({ id, limits: shown });
    clock.time += 1.5 * HOUR;
    const tested = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(answer.body.data));
    expect([tested.status, tested.body.data]).toEqual([200, expect.objectContaining({ id, limits: shown, uses: 0 })]);
  }
});

describe('refuses by its path', () => {
  const nothingButNumbers: unknown[] = [0, -1, 1.5, 1e13, 1e300, '1', '', true, [1], {}];
  const times: unknown[] = [
    '2000-01-01T00:00:00Z',
    '2999-01-01T00:00:00',
    '2999-01-01',
    '2999-01-01 00:00:00Z',
    '2999-01-01T24:00:00Z',
    '2999-01-01T00:00:60Z',
    '2999-02-30T00:00:00Z',
    '2999-02-29T00:00:00Z',
    '2999-13-01T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    '+010000-01-01T00:00:00Z',
    'Fri, 01 Jan 2999 00:00:00 GMT',
    '',
    32_472_144_000_000,
    true,
    ['2999-01-01T00:00:00Z'],
    {},
  ];
  const networks: unknown[] = [[], Array.from({ length: 65 }, (_, i) => `10.${i}.0.0/16`), '10.0.0.0/8', {}, 1, true];
  const elements: unknown[] = [
    null,
    167_772_160,
    ['10.0.0.0/8'],
    {},
    '',
    'localhost',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '010.0.0.0/8',
    '10.0/8',
    'fe80::1%eth0',
    '2001:db8::/129',
    '10.0.0.1/8',
    '2001:db8::1/64',
    '::ffff:10.0.0.0/8',
  ];
  it.each<[string, unknown]>([
    ...nothingButNumbers.map((value): [string, unknown] => ['limits.max_uses', { max_uses: value }]),
    ...[...nothingButNumbers, 1_000_001, null].map((value): [string, unknown] => [
      'limits.rate_limit.requests',
      { rate_limit: { requests: value, window_seconds: 60 } },
    ]),
    ...[...nothingButNumbers, 2_678_401, null].map((value): [string, unknown] => [
      'limits.rate_limit.window_seconds',
      { rate_limit: { requests: 1, window_seconds: value } },
    ]),
    ...[60, '60/m', true, [], [{ requests: 1, window_seconds: 1 }]].map((value): [string, unknown] => [
      'limits.rate_limit',
      { rate_limit: value },
    ]),
    ...times.map((value): [string, unknown] => ['limits.not_before', { not_before: value }]),
    ...times.map((value): [string, unknown] => ['limits.expires_at', { expires_at: value }]),
    ...networks.map((value): [string, unknown] => ['limits.allowed_cidrs', { allowed_cidrs: value }]),
    ...elements.flatMap((value): [string, unknown][] => [
      ['limits.allowed_cidrs.0', { allowed_cidrs: [value] }],
      ['limits.allowed_cidrs.1', { allowed_cidrs: ['10.0.0.0/8', value, '::/0'] }],
    ]),
    ...[null, 1, true, 'none', [], [{}]].map((value): [string, unknown] => ['limits', value]),
    ['limits.expires_at', { not_before: inHours(2), expires_at: inHours(1) }],
    ['limits.expires_at', { not_before: inHours(2), expires_at: inHours(2) }],
    ['limits.uses', { uses: 1 }],
    ['limits.maxUses', { maxUses: 1 }],
    ['limits.rate_limit.burst', { rate_limit: { requests: 1, window_seconds: 1, burst: 1 } }],
  ])('%s: %j', async (path, limits) => {
    const answer = await create(limits);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.error.details).toEqual([{ path, message: expect.stringMatching(/^\S/) }]);
  });

  it('a number that is too large', async () => {
    const body = JSON.stringify({ ...powerlessBody, limits: { max_uses: 0 } }).replace(
      '"max_uses":0',
      '"max_uses":1e400',
    );
    const answer = await service.client.post('/api/apiKeys', sessionOf('ann'), body);
    expect([answer.status, answer.body.error.details?.[0].path]).toEqual([400, 'limits.max_uses']);
  });

  it('every invalid network, each with its problem', async () => {
    const answer = await create({ allowed_cidrs: ['10.0.0.1/8', '10.0.0.0/8', 7, 'localhost'] });
    expect(answer.body.error.details).toEqual([
      { path: 'limits.allowed_cidrs.0', message: expect.stringContaining('10.0.0.0/8 was probably meant') },
      { path: 'limits.allowed_cidrs.2', message: expect.stringContaining('must be a network') },
      { path: 'limits.allowed_cidrs.3', message: expect.stringContaining('must be a network') },
    ]);
  });

  it('every problem in one answer', async () => {
    const answer = await create({ not_before: 1, expires_at: 1, max_uses: 0, rate_limit: {}, allowed_cidrs: [], x: 1 });
    expect(answer.body.error.details.map(({ path }: { path: string }) => path).toSorted()).toEqual([
      'limits.allowed_cidrs',
      'limits.expires_at',
      'limits.max_uses',
      'limits.not_before',
      'limits.rate_limit.requests',
      'limits.rate_limit.window_seconds',
      'limits.x',
    ]);
  });

  it('a network with host bits set, and suggests the one that was probably meant', async () => {
    const answer = await create({ allowed_cidrs: ['192.0.2.0/24', '10.1.2.3/8'] });
    expect(answer.body.error.details).toEqual([
      { path: 'limits.allowed_cidrs.1', message: expect.stringContaining('10.0.0.0/8 was probably meant') },
    ]);
  });
});

it('shows the effect of limits in the status of a key', async () => {
  const limits = { not_before: inHours(1), expires_at: inHours(2), max_uses: 2 };
  const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits });
  const expectStatus = async (status: string) => {
    const read = await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'));
    const listed = await service.client.get('/api/apiKeys/list?limit=1', sessionOf('ann'));
    expect([read.body.data.status, listed.body.data.api_keys[0].status]).toEqual([status, status]);
  };
  await expectStatus('pending');
  clock.time = started + HOUR - 1;
  await expectStatus('pending');
  clock.time = started + HOUR;
  await expectStatus('active');
  await verify(service.client, key);
  await expectStatus('active');
  await verify(service.client, key);
  await expectStatus('exhausted');
  clock.time = started + 2 * HOUR - 1;
  await expectStatus('exhausted');
  clock.time = started + 2 * HOUR;
  await expectStatus('expired');
  await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf('ann'));
  expect((await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data.status).toBe('revoked');
});
