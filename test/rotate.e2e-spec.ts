import { randomUUID } from 'node:crypto';
import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import { clockAhead } from './support/clock.js';
import { issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const clock = clockAhead();
const inSeconds = (seconds: number) => new Date(clock.time + seconds * 1_000).toISOString();

const service = useService(serviceVariables, clock);

const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const shown = async (key: IssuedKey) => (await service.client.get(pathOf(key), sessionOf('ann'))).body.data;
const codeOf = async (key: IssuedKey) => (await verify(service.client, key)).body.data.code;
const codesOf = (...keys: IssuedKey[]) => Promise.all(keys.map(codeOf));
const limited = (limits: object) => issueKey(service.client, 'ann', { ...powerlessBody, limits });
const expireAt = (key: IssuedKey, time: string | null) =>
  service.client.call('PATCH', pathOf(key), { headers: sessionOf('ann'), body: { limits: { expires_at: time } } });

async function rotate(key: IssuedKey, overlapSeconds?: number): Promise<IssuedKey & { rotation: object | null }> {
  const body = overlapSeconds === undefined ? undefined : { overlap_seconds: overlapSeconds };
  return issued(await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), body)) as never;
}

describe('POST /api/apiKeys/:id/rotate', () => {
  it.each([undefined, 0])('with an overlap of %s ends the old secret immediately', async (overlap) => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    expect(await codeOf(key)).toBe('VALID');
    const rotated = await rotate(key, overlap);
    expect(rotated).toEqual({
      ...key,
      secret_key: expect.stringMatching(/^w3s_[0-9A-Za-z]{40}$/),
      credential: `${key.api_key}.${rotated.secret_key}`,
      rotation: null,
    });
    expect(rotated.secret_key).not.toBe(key.secret_key);
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'VALID']);
    expect((await shown(key)).rotation).toBeNull();
  });

  it('returns the new version of the key, also in a repeated answer', async () => {
    const created = await service.client.post('/api/apiKeys', sessionOf('ann'), powerlessBody);
    const path = `/api/apiKeys/${created.body.data.id}`;
    const tag = async () => (await service.client.get(path, sessionOf('ann'))).headers.etag;
    expect([created.headers.etag, created.body.etag]).toEqual([await tag(), undefined]);
    const headers = { ...sessionOf('ann'), 'idempotency-key': randomUUID() };
    const rotated = await service.client.post(`${path}/rotate`, { ...headers, 'if-match': String(await tag()) }, {});
    expect([rotated.headers.etag, rotated.body.etag]).toEqual([await tag(), undefined]);
    expect(rotated.headers.etag).not.toBe(created.headers.etag);
    const again = await service.client.post(`${path}/rotate`, headers, {});
    expect([again.text, again.headers.etag]).toEqual([rotated.text, rotated.headers.etag]);
  });

  it('accepts both secrets until the overlap ends', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const rotated = await rotate(key, 60);
    const end = inSeconds(60);
    expect(rotated.rotation).toEqual({ previous_secret_expires_at: end, previous_secret_last_used_at: null });
    expect((await shown(key)).rotation).toEqual(rotated.rotation);
    expect(await codesOf(key, rotated, key, rotated)).toEqual(['VALID', 'VALID', 'VALID', 'VALID']);
    clock.time += 59_999;
    expect(await codesOf(key, rotated)).toEqual(['VALID', 'VALID']);
    clock.time += 1;
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'VALID']);
  });

  it('counts the uses and the rate of both secrets together', async () => {
    const key = await limited({ max_uses: 4 });
    const rotated = await rotate(key, 60);
    const codes = [];
    for (const one of [key, rotated, key, rotated, key, rotated]) codes.push(await codeOf(one));
    expect(codes).toEqual(['VALID', 'VALID', 'VALID', 'VALID', 'USAGE_EXCEEDED', 'USAGE_EXCEEDED']);

    const paced = await limited({ rate_limit: { requests: 2, window_seconds: 60 } });
    const repaced = await rotate(paced, 60);
    const paces = [];
    for (const one of [paced, repaced, paced, repaced]) paces.push(await codeOf(one));
    expect(paces).toEqual(['VALID', 'VALID', 'RATE_LIMITED', 'RATE_LIMITED']);
  });

  it('keeps the counts of limits: a new secret does not reset them', async () => {
    const key = await limited({ max_uses: 2, rate_limit: { requests: 2, window_seconds: 60 } });
    expect(await codeOf(key)).toBe('VALID');
    const rotated = await rotate(key, 0);
    expect([await codeOf(rotated), await codeOf(rotated)]).toEqual(['VALID', 'RATE_LIMITED']);
  });

  it('never lets the old secret outlive the key, even if its expiry is extended later', async () => {
    const key = await limited({ expires_at: inSeconds(30) });
    const rotated = await rotate(key, 60);
    expect(rotated.rotation).toMatchObject({ previous_secret_expires_at: inSeconds(30) });
    expect(await codeOf(key)).toBe('VALID');
    await expireAt(key, inSeconds(300));
    clock.time += 30_000;
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'VALID']);
    await expireAt(key, null);
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'VALID']);
  });

  it('does not revive the old secret of a key that had expired during the overlap', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const rotated = await rotate(key, 600);
    await expireAt(key, inSeconds(30));
    clock.time += 30_000;
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'EXPIRED']);
    await expireAt(key, inSeconds(3_600));
    expect(await codesOf(key, rotated)).toEqual(['INVALID_CREDENTIALS', 'VALID']);
  });

  it.each([0, 60])('ends an earlier overlap by a second rotation with an overlap of %d', async (overlap) => {
    const first = await issueKey(service.client, 'ann', powerlessBody);
    const second = await rotate(first, 600);
    expect(await codesOf(first, second)).toEqual(['VALID', 'VALID']);
    const third = await rotate(second, overlap);
    expect(await codesOf(first, second, third)).toEqual([
      'INVALID_CREDENTIALS',
      overlap > 0 ? 'VALID' : 'INVALID_CREDENTIALS',
      'VALID',
    ]);
  });

  it('shows if the old secret is still in use', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const rotated = await rotate(key, 600);
    expect(await codeOf(rotated)).toBe('VALID');
    await until(async () => (await shown(key)).last_used_at !== null, 'the use of the new secret');
    expect((await shown(key)).rotation.previous_secret_last_used_at).toBeNull();
    clock.time += 1_000;
    expect(await codeOf(key)).toBe('VALID');
    const usedAt = new Date(clock.time).toISOString();
    await until(async () => (await shown(key)).rotation.previous_secret_last_used_at === usedAt, 'the use of the old');
  });

  it('does not count the use of an earlier secret as a use of the old one', async () => {
    const first = await issueKey(service.client, 'ann', powerlessBody);
    const second = await rotate(first, 600);
    expect(await codeOf(first)).toBe('VALID');
    const third = await rotate(second, 600);
    // Uses counted by now are written in order
    clock.time += 1_000;
    expect(await codeOf(third)).toBe('VALID');
    const usedAt = new Date(clock.time).toISOString();
    await until(async () => (await shown(third)).last_used_at === usedAt, 'the statistics');
    expect((await shown(third)).rotation.previous_secret_last_used_at).toBeNull();
  });

  it.each([-1, 604_801, 1.5, '60', null, true])('refuses an overlap of %j by its path', async (overlap) => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const answer = await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), { overlap_seconds: overlap });
    expect(outcomeOf(answer)).toBe('400 validation_failed');
    expect(pathsOf(answer)).toEqual(['overlap_seconds']);
    expect(await codeOf(key)).toBe('VALID');
  });

  it('accepts an overlap of a week, and no unknown property', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const rotated = await rotate(key, 604_800);
    expect(rotated.rotation).toMatchObject({ previous_secret_expires_at: inSeconds(604_800) });
    const answer = await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), { overlap: 1 });
    expect(pathsOf(answer)).toEqual(['overlap']);
  });

  it('lets an admin key rotate itself, but not again with its old secret', async () => {
    const key = await issueKey(service.client, 'ann');
    const rotated = issued(await service.client.post(`${pathOf(key)}/rotate`, pairHeaders(key)));
    expect((await service.client.get(pathOf(key), pairHeaders(key))).status).toBe(401);
    expect((await service.client.get(pathOf(key), pairHeaders(rotated))).status).toBe(200);
  });

  it('finds neither a key of another owner nor a revoked one', async () => {
    const others = await issueKey(service.client, 'bob', powerlessBody);
    const revoked = await issueKey(service.client, 'ann', powerlessBody);
    await service.client.delete(pathOf(revoked), sessionOf('ann'));
    for (const key of [others, revoked]) {
      const answer = await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), {});
      expect(outcomeOf(answer)).toBe('404 key_not_found');
    }
    expect(await codesOf(others, revoked)).toEqual(['VALID', 'REVOKED']);
  });

  it('leaves exactly one valid secret after many concurrent rotations', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const rotated: IssuedKey[] = [];
    await runConcurrently(8, range(16), async () => void rotated.push(await rotate(key, 0)));
    const codes = await codesOf(key, ...rotated);
    expect(codes.filter((code) => code === 'VALID')).toHaveLength(1);
    expect(codes.filter((code) => code === 'INVALID_CREDENTIALS')).toHaveLength(16);
  });
});
