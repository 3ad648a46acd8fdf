import { cascadeAnnouncement } from '../src/api-keys/invalidation/announcements.js';
import { clockAhead } from './support/clock.js';
import { changesSince, grantOf, guardHeaders, handleOf } from './support/guards.js';
import { bodyWith, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { metricsOf } from './support/metrics.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const clock = clockAhead();
const service = useService(serviceVariables, clock);

const issue = (body: object = powerlessBody) => issueKey(service.client, 'ann', body);
const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const revoke = (key: IssuedKey, query = '') => service.client.delete(pathOf(key) + query, sessionOf('ann'));
const patch = (key: IssuedKey, body: object) =>
  service.client.call('PATCH', pathOf(key), { headers: sessionOf('ann'), body });
const ask = (since?: string, waitMs?: number, headers?: ReturnType<typeof guardHeaders>) =>
  changesSince(service.client, since, waitMs, headers);

describe('GET /api/apiKeys/changes', () => {
  it('begins with the present position, and nothing changed', async () => {
    await revoke(await issue());
    expect(await ask(undefined, 1_000)).toEqual({
      epoch: expect.stringMatching(/^[\w-]{16}$/),
      position: expect.stringMatching(/^\d+$/),
      age_ms: expect.any(Number),
      held_ms: expect.any(Number),
      bound_ms: 1_000,
      changed: [],
    });
  });

  it('sends each change since the position, by a digest of the key and its transaction', async () => {
    const key = await issue();
    const { position } = await ask();
    await patch(key, { enabled: false });
    await revoke(key);
    const { changed } = await ask(position);
    const ours = changed.filter(({ h }) => h === handleOf(key.api_key));
    expect(ours).toHaveLength(2);
    for (const { at } of ours) expect(BigInt(at ?? 0)).toBeGreaterThanOrEqual(BigInt(position));
  });

  it('answers a question that waits as soon as there is a change', async () => {
    const heldFor = async () => {
      const [key, { position }, headers] = [await issue(), await ask(), guardHeaders()];
      await ask(position, 0, headers);
      const waiting = ask(position, 1_000, headers);
      await revoke(key);
      const { changed, held_ms: heldMs } = await waiting;
      expect(changed.map(({ h }) => h)).toContain(handleOf(key.api_key));
      return heldMs;
    };
    // A revocation may take a second on a busy machine
    await until(async () => (await heldFor()) < 1_000, 'an answer before the time is over');
  });

  it('sends a guard a change that came between two of its questions, and does not repeat it at once', async () => {
    const [key, headers] = [await issue(), guardHeaders()];
    const { position } = await ask(undefined, 0, headers);
    await ask(position, 0, headers);
    await revoke(key);
    const first = await ask(position, 1_000, headers);
    expect(first.changed.map(({ h }) => h)).toContain(handleOf(key.api_key));
    expect(first.held_ms).toBeLessThan(900);
    expect((await ask(position, 1_000, headers)).held_ms).toBeGreaterThan(900);
  });

  it('reaches a position behind each change, with an age that a poll has renewed', async () => {
    const { position } = await ask();
    await revoke(await issue());
    const { changed } = await ask(position);
    const last = BigInt(changed.at(-1)?.at ?? 0);
    await until(async () => BigInt((await ask(position)).position) > last, 'the position is behind the change');
    expect((await ask()).age_ms).toBeLessThan(1_000);
  });

  it('announces a cascade by the owner', async () => {
    const root = await issueKey(service.client, 'eve');
    await service.client.post('/api/apiKeys', pairHeaders(root), powerlessBody);
    const { position } = await ask();
    await service.client.delete(`${pathOf(root)}?cascade=true`, sessionOf('eve'));
    const { changed } = await ask(position);
    expect(changed.map(({ h }) => h)).toContain(handleOf(cascadeAnnouncement('eve')));
  });

  it.each([
    ['of long ago', '1'],
    ['of a later state of the database', '999999999999'],
    ['of another server', '999999999999&epoch=q2vJ8x0aRk3LmNcT'],
  ])('asks a guard with a position %s to start again', async (_, since) => {
    const answer = await service.client.get(`/api/apiKeys/changes?since=${since}`, serviceHeaders);
    expect([answer.status, answer.body.error.code]).toEqual([410, 'position_expired']);
  });

  it('is for services alone', async () => {
    const key = await issue(bodyWith(['admin']));
    for (const headers of [{}, pairHeaders(key), sessionOf('ann')]) {
      const { status, body } = await service.client.get('/api/apiKeys/changes', headers);
      expect([status, body.error.code]).toEqual([401, 'unauthenticated']);
    }
  });

  it('names what is wrong with the query', async () => {
    const { status, body } = await service.client.get(
      '/api/apiKeys/changes?since=x&wait_ms=1001&more=1',
      serviceHeaders,
    );
    expect([status, body.error.details.map(({ path }: { path: string }) => path)]).toEqual([
      400,
      ['more', 'since', 'wait_ms'],
    ]);
  });

  it('counts the guards of each service', async () => {
    await ask();
    const metrics = await metricsOf(service.client);
    expect(metrics).toMatch(/^w3ipfs_keys_guards\{service="service:gateway"\} [1-9]/m);
    expect(metrics).toMatch(/^w3ipfs_keys_guard_lag_seconds\{service="service:gateway"\} \d/m);
  });
});

describe('a grant', () => {
  it('says all that a guard decides by', async () => {
    const expiresAt = new Date(clock.time + 60_000).toISOString();
    const limits = { allowed_cidrs: ['192.0.2.0/24'], expires_at: expiresAt };
    const key = await issue(bodyWith(['pinning.unpin', 'data.pin_list'], { name: 'granted', limits }));
    const { position, epoch } = await ask();
    const { code, grant } = await grantOf(service.client, key, { ip: '192.0.2.7', scope: 'pinning.unpin' });
    expect([code, grant]).toEqual([
      'VALID',
      {
        cacheable: true,
        position: expect.any(String),
        epoch,
        key_id: key.id,
        owner_id: 'ann',
        name: 'granted',
        scopes: ['data.pin_list', 'pinning.unpin'],
        allowed_cidrs: ['192.0.2.0/24'],
        expires_at: expiresAt,
        expires_in_ms: expect.any(Number),
        which: 'current',
        overlap_ends_in_ms: null,
        forget_on: [],
      },
    ]);
    expect(BigInt(grant?.['position'] as string)).toBeGreaterThanOrEqual(BigInt(position));
    expect(Math.abs((grant?.['expires_in_ms'] as number) - 60_000)).toBeLessThan(60_000);
  });

  it.each([
    ['another network', { ip: '198.51.100.1' }, 'IP_NOT_ALLOWED'],
    ['another scope', { ip: '192.0.2.7', scope: 'admin' }, 'INSUFFICIENT_SCOPE'],
  ])('goes with a refusal for %s, since the key itself is good', async (_, need, refusal) => {
    const key = await issue({ ...powerlessBody, limits: { allowed_cidrs: ['192.0.2.0/24'] } });
    const { code, grant } = await grantOf(service.client, key, need);
    expect([code, grant?.['cacheable']]).toEqual([refusal, true]);
  });

  it('does not go with other refusals, or unasked', async () => {
    const [disabled, revoked, plain] = [await issue(), await issue(), await issue()];
    await patch(disabled, { enabled: false });
    await revoke(revoked);
    const wrong = { ...plain, secret_key: `w3s_${'a'.repeat(40)}` };
    for (const key of [disabled, revoked, wrong]) expect((await grantOf(service.client, key)).grant).toBeUndefined();
    expect((await verify(service.client, plain)).body.data.grant).toBeUndefined();
  });

  it.each([
    ['max_uses', { max_uses: 5 }],
    ['rate_limit', { rate_limit: { requests: 5, window_seconds: 60 } }],
  ])('is refused for a key with %s', async (because, limits) => {
    const key = await issue({ ...powerlessBody, limits });
    expect((await grantOf(service.client, key)).grant).toEqual({ cacheable: false, because });
  });

  it('names the previous secret, and when it ends', async () => {
    const key = await issue();
    const rotated = issued(
      await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), { overlap_seconds: 60 }),
    );
    expect((await grantOf(service.client, rotated)).grant).toMatchObject({
      which: 'current',
      overlap_ends_in_ms: null,
    });
    const { grant } = await grantOf(service.client, key);
    expect(grant).toMatchObject({ cacheable: true, which: 'previous', overlap_ends_in_ms: expect.any(Number) });
    expect(grant?.['overlap_ends_in_ms']).toBeLessThanOrEqual(60_000);
  });

  it('of a key that another issued ends with a cascade of its owner', async () => {
    const root = await issue(bodyWith(['admin']));
    const child = issued(await service.client.post('/api/apiKeys', pairHeaders(root), powerlessBody));
    expect((await grantOf(service.client, child)).grant).toMatchObject({
      forget_on: [handleOf(cascadeAnnouncement('ann'))],
    });
  });

  it('comes for each of a batch that asks for it', async () => {
    const key = await issue();
    const pair = { api_key: key.api_key, secret_key: key.secret_key };
    const { body } = await service.client.post('/api/apiKeys/verify/batch', serviceHeaders, {
      requests: [{ ...pair, grant: true }, pair],
    });
    expect(body.data.verdicts.map(({ grant }: { grant?: object }) => grant !== undefined)).toEqual([true, false]);
  });

  it('is counted by its result', async () => {
    await grantOf(service.client, await issue());
    expect(await metricsOf(service.client)).toMatch(/^w3ipfs_keys_grants_total\{result="granted"\} [1-9]/m);
  });
});

it('waits for what guards have counted before a key gets max_uses, and grants it no more', async () => {
  const key = await issue();
  await ask();
  expect((await grantOf(service.client, key)).grant).toMatchObject({ cacheable: true });
  const { position } = await ask();
  const patching = patch(key, { limits: { max_uses: 100 } });
  await until(
    async () => (await ask(position)).changed.some(({ h }) => h === handleOf(key.api_key)),
    'it is announced',
  );
  expect((await grantOf(service.client, key)).grant).toEqual({ cacheable: false, because: 'pending' });
  expect((await patching).status).toBe(200);
  expect((await grantOf(service.client, key)).grant).toEqual({ cacheable: false, because: 'max_uses' });
});
