import { range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { clockAhead } from './support/clock.js';
import {
  bodyWith,
  documentedBody,
  issued,
  issueKey,
  type IssuedKey,
  noLimits,
  pairHeaders,
  powerlessBody,
} from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceVariables, verify } from './support/verification.js';

const clock = clockAhead();
const inHours = (hours: number) => new Date(clock.time + hours * 3_600_000).toISOString();
const everyLimit = {
  not_before: inHours(1),
  expires_at: inHours(48),
  max_uses: 5,
  rate_limit: { requests: 10, window_seconds: 60 },
  allowed_cidrs: ['10.0.0.0/8'],
};

const service = useService(serviceVariables, clock);

const pathOf = ({ id }: Pick<IssuedKey, 'id'>) => `/api/apiKeys/${id}`;
const read = (key: IssuedKey) => service.client.get(pathOf(key), sessionOf('ann'));
const codeOf = async (key: IssuedKey, need = {}) => (await verify(service.client, key, need)).body.data.code;

function update(key: Pick<IssuedKey, 'id'>, body: unknown, headers: Record<string, string | string[]> = {}) {
  return service.client.call('PATCH', pathOf(key), { headers: { ...sessionOf('ann'), ...headers }, body });
}

function updateAs(caller: IssuedKey, key: IssuedKey, body: unknown): Promise<Answer> {
  return service.client.call('PATCH', pathOf(key), { headers: pairHeaders(caller), body });
}

/** A key as an answer shows it. */
type ShownKey = Record<'name' | 'scopes' | 'limits' | 'metadata' | 'status', unknown>;

/** The changeable fields of a key, with their current values. */
function unchanged({ name, scopes, limits, metadata, status }: ShownKey): object {
  return { name, scopes, limits, metadata, enabled: status !== 'disabled' };
}

describe('PATCH /api/apiKeys/:id', () => {
  it.each([
    ['the name', { name: ' new \u{1f511} ' }, { name: 'new \u{1f511}' }],
    ['the scopes', { scopes: { admin: true } }, { scopes: { admin: true } }],
    ['the metadata, as a whole', { metadata: { b: '2' } }, { metadata: { b: '2' } }],
    ['whether it is enabled', { enabled: false }, { status: 'disabled' }],
    ['a limit', { limits: { max_uses: 7 } }, { limits: { ...everyLimit, max_uses: 7 } }],
  ])('changes %s, and leaves the rest unchanged', async (_, body, changed) => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, metadata: { a: '1' }, limits: everyLimit });
    const before = (await read(key)).body.data;
    clock.time += 1_000;
    const answer = await update(key, body);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ ...before, ...changed, updated_at: new Date(clock.time).toISOString() });
    expect((await read(key)).body).toEqual(answer.body);
  });

  it.each<[string, (key: ShownKey) => object]>([
    ['nothing', () => ({})],
    ['no limit', () => ({ limits: {} })],
    ['all of its fields, unchanged', unchanged],
  ])('with %s changes nothing: neither the version, nor the time, nor the audit trail', async (_, bodyOf) => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, metadata: { a: '1' }, limits: everyLimit });
    const before = await read(key);
    clock.time += 1_000;
    const answer = await update(key, bodyOf(before.body.data), { 'if-match': String(before.headers.etag) });
    expect([answer.status, answer.body]).toEqual([200, before.body]);
    expect([answer.headers.etag, (await read(key)).headers.etag]).toEqual([before.headers.etag, before.headers.etag]);
    const trail = await service.client.get(`/api/apiKeys/events?api_key_id=${key.id}`, sessionOf('ann'));
    expect(trail.body.data.events.map(({ action }: { action: string }) => action)).toEqual(['key.created']);
  });

  it('requires a body, which may be empty, and says so', async () => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const before = await read(key);
    const answer = await update(key, undefined);
    expect(outcomeOf(answer)).toBe('400 validation_failed');
    expect(answer.body.error.message).toMatch(/no body: send JSON/);
    expect(pathsOf(answer)).toEqual(['']);
    expect((await read(key)).headers.etag).toBe(before.headers.etag);
  });

  it.each(Object.keys(noLimits))('clears limits.%s by null, and no other', async (limit) => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: everyLimit });
    const answer = await update(key, { limits: { [limit]: null } });
    expect(answer.body.data.limits).toEqual({ ...everyLimit, [limit]: null });
  });

  it.each([
    [{ name: '' }, ['name']],
    [{ name: null }, ['name']],
    [{ scopes: null }, ['scopes']],
    [{ scopes: { admin: 'yes' } }, ['scopes.admin']],
    [{ status: 'disabled' }, ['status']],
    [{ limits: null }, ['limits']],
    [{ limits: { max_uses: 0, expires_at: 'tomorrow' } }, ['limits.expires_at', 'limits.max_uses']],
    [{ limits: { rate_limit: { requests: 1 } } }, ['limits.rate_limit.window_seconds']],
    [{ limits: { allowed_cidrs: [] } }, ['limits.allowed_cidrs']],
    [{ limits: { uses: 1 } }, ['limits.uses']],
    [{ metadata: { a: 1 } }, ['metadata.a']],
    [{ metadata: null }, ['metadata']],
    [{ enabled: 'true' }, ['enabled']],
    [{ enabled: null }, ['enabled']],
    [{ id: 'x', owner_id: 'bob', version: 1, api_key: 'y' }, ['api_key', 'id', 'owner_id', 'version']],
    [[], ['']],
  ])('refuses %j by its paths, and changes nothing', async (body, paths) => {
    const key = await issueKey(service.client, 'ann', powerlessBody);
    const before = await read(key);
    const answer = await update(key, body);
    expect(outcomeOf(answer)).toBe('400 validation_failed');
    expect(pathsOf(answer).toSorted()).toEqual(paths);
    expect((await read(key)).body).toEqual(before.body);
  });

  it.each([
    [{ not_before: inHours(3) }, { expires_at: inHours(2) }, 'limits.expires_at'],
    [{ expires_at: inHours(2) }, { not_before: inHours(2) }, 'limits.not_before'],
    [{}, { not_before: inHours(3), expires_at: inHours(2) }, 'limits.expires_at'],
  ])('refuses a start that is not before the end: %j, then %j', async (limits, given, path) => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits });
    expect(pathsOf(await update(key, { limits: given }))).toEqual([path]);
  });

  it('disables a key immediately, for services and for its own calls, and enables it again', async () => {
    const key = await issueKey(service.client, 'ann');
    expect(await codeOf(key)).toBe('VALID');
    await update(key, { enabled: false });
    expect(await codeOf(key)).toBe('DISABLED');
    const used = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
    expect(used.status).toBe(401);
    expect(used.body.error).toMatchObject({ code: 'unauthenticated', reason: 'DISABLED' });
    await update(key, { enabled: true });
    expect(await codeOf(key)).toBe('VALID');
  });

  it('changes the scopes of the key immediately', async () => {
    const key = await issueKey(service.client, 'ann', { ...powerlessBody, limits: { max_uses: 9 } });
    const need = { scope: 'pinning.unpin', ip: '192.0.2.1' };
    expect(await codeOf(key, need)).toBe('INSUFFICIENT_SCOPE');
    await update(key, bodyWith(['pinning.unpin']));
    expect(await codeOf(key, need)).toBe('VALID');
    await update(key, { limits: { allowed_cidrs: ['10.0.0.0/8'] } });
    expect(await codeOf(key, need)).toBe('IP_NOT_ALLOWED');
    await update(key, { limits: { allowed_cidrs: null, max_uses: 1 } });
    expect(await codeOf(key, need)).toBe('USAGE_EXCEEDED');
    await update(key, { limits: { max_uses: 2 } });
    expect([await codeOf(key, need), await codeOf(key, need)]).toEqual(['VALID', 'USAGE_EXCEEDED']);
  });

  it('finds no key of another owner', async () => {
    const key = await issueKey(service.client, 'bob', powerlessBody);
    expect(outcomeOf(await update(key, { name: 'mine' }))).toBe('404 key_not_found');
  });
});

describe('If-Match', () => {
  let key: IssuedKey;
  let etag: string;
  beforeEach(async () => {
    key = await issueKey(service.client, 'ann', powerlessBody);
    etag = String((await read(key)).headers.etag);
  });

  it('allows a change while the key is as it was read, and returns its new ETag', async () => {
    const answer = await update(key, { name: 'one' }, { 'if-match': etag });
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).toMatch(/^"[^"]+"$/);
    expect(answer.headers.etag).not.toBe(etag);
    expect((await read(key)).headers.etag).toBe(answer.headers.etag);
    expect(outcomeOf(await update(key, { name: 'two' }, { 'if-match': etag }))).toBe('412 precondition_failed');
    expect((await read(key)).body.data.name).toBe('one');
  });

  it('detects every change of the key, and no use of it', async () => {
    await codeOf(key);
    expect((await read(key)).headers.etag).toBe(etag);
    await service.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'));
    expect((await update(key, {}, { 'if-match': etag })).status).toBe(412);
  });

  it.each([
    ['*', () => '*', 200],
    ['a list with the tag', () => `"x", ${etag}`, 200],
    ['several headers, one with the tag', () => ['"x"', etag], 200],
    ['a list with empty elements', () => `, ${etag},`, 200],
    ['a list without the tag', () => '"x", "y"', 412],
    ['a tag with a comma', () => '"a,b"', 412],
    ['the tag as a weak one', () => `W/${etag}`, 412],
    ['a weak tag that matches', () => etag.replace('"', '"0'), 412],
    ['an empty tag', () => '""', 412],
    ['no quotes', () => '1', 400],
    ['half a pair of quotes', () => '"1', 400],
    ['* in a list', () => `*, ${etag}`, 400],
    ['nothing', () => '', 400],
    ['only commas', () => ',', 400],
    ['two tags without a comma', () => `${etag} ${etag}`, 400],
  ])('as %s is handled as RFC 9110 defines', async (_, header, status) => {
    const answer = await update(key, { name: 'changed' }, { 'if-match': header() });
    expect(answer.status).toBe(status);
    if (status === 400) expect(pathsOf(answer)).toEqual(['If-Match']);
    expect((await read(key)).body.data.name).toBe(status === 200 ? 'changed' : powerlessBody.name);
  });

  it.each([
    ['*', () => '*', 200],
    ['the tag', () => etag, 200],
    ['a list with the tag', () => `"x", ${etag}`, 200],
    ['several headers, one with the tag', () => ['"x"', etag], 200],
    ['a list without the tag', () => '"x", "y"', 412],
    ['the tag as a weak one', () => `W/${etag}`, 412],
    ['no quotes', () => '1', 400],
    ['nothing', () => '', 400],
  ])('as %s applies to a rotation and a deletion as to a change', async (_, header, status) => {
    const headers = { ...sessionOf('ann'), 'if-match': header() };
    const code = { 200: '200', 400: '400 validation_failed', 412: '412 precondition_failed' }[status];
    const rotated = await service.client.post(`${pathOf(key)}/rotate`, headers, {});
    expect(outcomeOf(rotated)).toBe(code);
    expect((await read(key)).headers.etag === etag).toBe(status !== 200);
    etag = String((await read(key)).headers.etag);
    const deleted = await service.client.delete(pathOf(key), { ...headers, 'if-match': header() });
    expect(outcomeOf(deleted)).toBe(code);
    expect((await read(key)).body.data.status).toBe(status === 200 ? 'revoked' : 'active');
  });

  it('that no longer matches prevents deletion, with and without cascade, and rotation', async () => {
    const admin = await issueKey(service.client, 'ann');
    const child = issued(await service.client.post('/api/apiKeys', pairHeaders(admin), powerlessBody));
    const headers = { ...sessionOf('ann'), 'if-match': String((await read(admin)).headers.etag) };
    await update(admin, { name: 'another' });
    expect(outcomeOf(await service.client.delete(`${pathOf(admin)}?cascade=true`, headers))).toBe(
      '412 precondition_failed',
    );
    expect(outcomeOf(await service.client.post(`${pathOf(admin)}/rotate`, headers))).toBe('412 precondition_failed');
    expect([await codeOf(admin), await codeOf(child)]).toEqual(['VALID', 'VALID']);
  });

  it('gets a 404 for a key that does not exist or is deleted', async () => {
    const headers = { ...sessionOf('ann'), 'if-match': '*' };
    await service.client.delete(pathOf(key), sessionOf('ann'));
    expect(outcomeOf(await service.client.delete(pathOf(key), headers))).toBe('404 key_not_found');
    expect(outcomeOf(await service.client.post(`${pathOf(key)}/rotate`, headers))).toBe('404 key_not_found');
  });

  it('lets exactly one of many concurrent changes succeed', async () => {
    const names = range(16).map((index) => `name ${index}`);
    const answers = await Promise.all(names.map((name) => update(key, { name }, { 'if-match': etag })));
    const won = names.filter((_, index) => answers[index]?.status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(15);
    expect((await read(key)).body.data.name).toBe(won[0]);
  });

  it('is optional: without it the last change wins, and none undoes changes to other fields', async () => {
    const changes = [{ name: 'last' }, { metadata: { a: 'b' } }, { limits: { max_uses: 9 } }, { limits: everyLimit }];
    const answers = await Promise.all(changes.slice(0, 3).map((body) => update(key, body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const { name, metadata, limits } = (await read(key)).body.data;
    expect({ name, metadata, limits }).toEqual({
      name: 'last',
      metadata: { a: 'b' },
      limits: { ...noLimits, max_uses: 9 },
    });
  });
});

describe('an admin key', () => {
  it.each([
    [{ scopes: { admin: true } }, ['scopes']],
    [{ limits: { max_uses: 1 } }, ['limits']],
    [{ enabled: false }, ['enabled']],
    [
      { name: 'x', enabled: false, limits: { max_uses: 1 }, scopes: powerlessBody.scopes },
      ['scopes', 'limits', 'enabled'],
    ],
  ])('cannot give itself %j', async (body, paths) => {
    const key = await issueKey(service.client, 'ann');
    const answer = await updateAs(key, key, body);
    expect(outcomeOf(answer)).toBe('403 exceeds_issuer');
    expect(pathsOf(answer)).toEqual(paths);
    expect((await read(key)).body.data.name).toBe('test-api-key');
  });

  it('may send its own limits and scopes unchanged, with another name', async () => {
    const key = await issueKey(service.client, 'ann', { ...documentedBody, limits: { max_uses: 50 } });
    const own = (await read(key)).body.data;
    const answer = await updateAs(key, key, { ...unchanged(own), name: 'renamed' });
    const { scopes, limits, status } = own;
    expect(answer.body.data).toMatchObject({ name: 'renamed', scopes, limits, status });
  });

  it('may rename itself and change its metadata', async () => {
    const key = await issueKey(service.client, 'ann');
    const answer = await updateAs(key, key, { name: 'renamed', metadata: { by: 'itself' } });
    expect(answer.body.data).toMatchObject({ name: 'renamed', metadata: { by: 'itself' } });
  });

  describe('with limits of its own', () => {
    const limits = {
      not_before: null,
      expires_at: inHours(24),
      max_uses: 100,
      rate_limit: { requests: 100, window_seconds: 60 },
      allowed_cidrs: ['127.0.0.0/8', '10.0.0.0/8'],
    };
    let weaker: IssuedKey;
    beforeAll(async () => {
      weaker = await issueKey(service.client, 'ann', { name: 'weaker', scopes: { admin: true }, limits });
    });

    it.each([
      ['expires_at', inHours(25)],
      ['expires_at', null],
      ['rate_limit', { requests: 101, window_seconds: 61 }],
      ['rate_limit', { requests: 50, window_seconds: 1 }],
      ['rate_limit', null],
      ['allowed_cidrs', ['10.0.0.0/7']],
      ['allowed_cidrs', ['10.1.0.0/16', '::/0']],
      ['allowed_cidrs', null],
    ])('cannot give another key a wider %s: %j', async (limit, value) => {
      const child = issued(await service.client.post('/api/apiKeys', pairHeaders(weaker), powerlessBody));
      const answer = await updateAs(weaker, child, { limits: { [limit]: value } });
      expect(outcomeOf(answer)).toBe('403 exceeds_issuer');
      expect(pathsOf(answer)).toEqual([`limits.${limit}`]);
      const expected = { ...limits, max_uses: null };
      expect((await read(child)).body.data.limits).toEqual(expected);
    });

    it('issues no key that would begin only after its inherited expiry', async () => {
      const body = { ...powerlessBody, limits: { not_before: limits.expires_at } };
      const answer = await service.client.post('/api/apiKeys', pairHeaders(weaker), body);
      expect(outcomeOf(answer)).toBe('403 exceeds_issuer');
      expect(pathsOf(answer)).toEqual(['limits.not_before']);
    });

    it('may give another key its own limits, and a separate count of uses', async () => {
      const child = issued(await service.client.post('/api/apiKeys', pairHeaders(weaker), powerlessBody));
      const narrower = {
        not_before: inHours(1),
        expires_at: limits.expires_at,
        max_uses: null,
        rate_limit: { requests: 100, window_seconds: 61 },
        allowed_cidrs: ['10.1.0.0/16'],
      };
      expect((await updateAs(weaker, child, { limits: narrower })).body.data.limits).toEqual(narrower);
    });

    it.each([
      ['enabled again', (key: IssuedKey) => updateAs(weaker, key, { enabled: true })],
      ['given scopes', (key: IssuedKey) => updateAs(weaker, key, { scopes: { admin: true } })],
      ['rotated', (key: IssuedKey) => service.client.post(`${pathOf(key)}/rotate`, pairHeaders(weaker), {})],
    ])('cannot have a key %s that it could not have issued', async (_, act) => {
      const stronger = await issueKey(service.client, 'ann', powerlessBody);
      await update(stronger, { enabled: false });
      const answer = await act(stronger);
      expect(outcomeOf(answer)).toBe('403 exceeds_issuer');
      expect(pathsOf(answer).toSorted()).toEqual(['limits.allowed_cidrs', 'limits.expires_at', 'limits.rate_limit']);
      expect((await read(stronger)).body.data).toMatchObject({ status: 'disabled', scopes: powerlessBody.scopes });
    });

    it('may rename such a key, disable it and narrow it', async () => {
      const stronger = await issueKey(service.client, 'ann', powerlessBody);
      const answer = await updateAs(weaker, stronger, { name: 'x', enabled: false, limits: { max_uses: 1 } });
      expect(answer.body.data).toMatchObject({ name: 'x', status: 'disabled', limits: { max_uses: 1 } });
    });
  });
});
