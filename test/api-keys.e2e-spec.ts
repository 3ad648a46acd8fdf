import { SCOPE_TREE } from '../src/principals/scopes.js';
import { documentedBody, fullScopes, issued, issueKey, noLimits, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';

const service = useService();

describe('POST /api/apiKeys', () => {
  it.each(['/api/apiKeys/', '/api/apiKeys'])('answers the documented request at %s as documented', async (path) => {
    const answer = await service.client.post(path, sessionOf('ann'), documentedBody);

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: {
        name: 'test-api-key',
        api_key: expect.stringMatching(/^w3k_[0-9A-Za-z]{20}$/),
        secret_key: expect.stringMatching(/^w3s_[0-9A-Za-z]{40}$/),
        credential: expect.stringMatching(/^w3k_[0-9A-Za-z]{20}\.w3s_[0-9A-Za-z]{40}$/),
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        scopes: documentedBody.scopes,
        limits: noLimits,
        metadata: {},
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
      status: 'success',
    });
    const { api_key, secret_key, credential } = answer.body.data;
    expect(credential).toBe(`${api_key}.${secret_key}`);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('accepts the documented short form of an admin key, and returns the scopes as sent', async () => {
    const body = { name: 'Admin api key', scopes: { admin: true } };
    const answer = await service.client.post('/api/apiKeys/', sessionOf('ann'), body);
    expect(answer.body.data).toMatchObject(body);
  });

  it('lets an admin key issue another for its own owner, and remembers which did', async () => {
    const parent = await issueKey(service.client, 'issuers-owner');
    const child = issued(await service.client.post('/api/apiKeys', pairHeaders(parent), powerlessBody));

    const shown = await service.client.get(`/api/apiKeys/${child.id}`, sessionOf('issuers-owner'));
    expect(shown.body.data.issued_by).toBe(parent.id);
  });

  it('trims the name and keeps the metadata unchanged', async () => {
    const body = { ...powerlessBody, name: '  spaced \u{1f511} ', metadata: { team: 'gallery', ключ: '' } };
    const { id } = await issueKey(service.client, 'ann', body);
    const shown = await service.client.get(`/api/apiKeys/${id}`, sessionOf('ann'));
    expect(shown.body.data).toMatchObject({ name: 'spaced \u{1f511}', metadata: { team: 'gallery', ключ: '' } });
  });

  it('returns the metadata when a key is issued and when it is rotated', async () => {
    const body = { ...powerlessBody, metadata: { team: 'gallery' } };
    const answer = await service.client.post('/api/apiKeys', sessionOf('ann'), body);
    const rotated = await service.client.post(`/api/apiKeys/${answer.body.data.id}/rotate`, sessionOf('ann'), {});
    for (const { data } of [answer.body, rotated.body]) {
      expect(data).toMatchObject({ metadata: body.metadata, credential: `${data.api_key}.${data.secret_key}` });
    }
  });

  it('lists scopes in the order of the tree everywhere, in whatever order they were sent', async () => {
    const reversed = (object: object) =>
      Object.fromEntries(
        Object.entries(object)
          .toReversed()
          .map(([name, value]): [string, unknown] => [name, typeof value === 'object' ? reversed(value) : value]),
      );
    const scopes = reversed(powerlessBody.scopes);
    const headers = sessionOf('orderly');
    const created = await service.client.post('/api/apiKeys', headers, { name: 'x', scopes });
    const path = `/api/apiKeys/${created.body.data.id}`;
    const changed = reversed(fullScopes(['data.nft_list', 'data.pin_list']));
    const answers = [
      created,
      await service.client.get(path, headers),
      await service.client.get('/api/apiKeys/list', headers),
      await service.client.post(`${path}/rotate`, headers, {}),
      await service.client.call('PATCH', path, { headers, body: { scopes: changed } }),
      await service.client.get('/api/apiKeys/events', headers),
      await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(created.body.data)),
    ];
    const groups = Object.entries(SCOPE_TREE).map(
      ([group, flags]) => `"${group}":\\{${flags.map((flag) => `"${flag}":\\w+`).join()}\\}`,
    );
    const inOrder = new RegExp(['"admin":(?:true|false)', ...groups].join(), 'g');
    for (const { text } of answers.slice(0, 6)) {
      const shown = text.match(/"admin":/g) ?? [];
      expect([shown.length > 0, text.match(inOrder)?.length]).toEqual([true, shown.length]);
    }
  });
});

describe('GET /api/apiKeys/list', () => {
  it('lists only the owner’s own keys, newest first, page by page, without secrets', async () => {
    const keys = [];
    for (let index = 0; index < 12; index++) {
      keys.push(await issueKey(service.client, 'lister', { ...powerlessBody, name: `key ${index}` }));
    }
    await issueKey(service.client, 'somebody-else');
    const newestFirst = keys.map(({ id }) => id).toReversed();
    const list = (query: string) => service.client.get(`/api/apiKeys/list${query}`, sessionOf('lister'));

    const first = await list('');
    expect(first.body.data.total).toBe(12);
    expect(idsOf(first)).toEqual(newestFirst.slice(0, 10));
    expect(idsOf(await list('/?limit=5&offset=3'))).toEqual(newestFirst.slice(3, 8));
    expect(idsOf(await list('?offset=12'))).toEqual([]);
    expect(first.body.data.api_keys[0]).toEqual({
      id: newestFirst[0],
      name: 'key 11',
      api_key: keys[11]?.api_key,
      scopes: powerlessBody.scopes,
      limits: noLimits,
      metadata: {},
      status: 'active',
      uses: 0,
      last_used_at: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      issued_by: null,
      rotation: null,
      revoked_at: null,
      revoked_reason: null,
    });
    for (const { secret_key } of keys) expect(first.text).not.toContain(secret_key);
    expect(first.text).not.toMatch(/argon2|secret/);
  });
});

describe('DELETE /api/apiKeys/:id', () => {
  it('revokes the key immediately and permanently; the record stays readable but is not listed', async () => {
    const key = await issueKey(service.client, 'deleter');
    await issueKey(service.client, 'deleter', powerlessBody);
    const path = `/api/apiKeys/${key.id}`;

    const answer = await service.client.delete(`${path}/`, sessionOf('deleter'));
    expect(answer.status).toBe(200);
    const data = { revoked: 1, complete: true };
    expect(answer.body).toEqual({ message: 'API key has been deleted', data, status: 'success' });

    const used = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
    expect(used.status).toBe(401);
    expect(used.body.error).toMatchObject({ code: 'unauthenticated', reason: 'REVOKED' });

    const again = await service.client.delete(path, sessionOf('deleter'));
    expect(again.status).toBe(404);
    expect(again.body.error.code).toBe('key_not_found');

    const shown = await service.client.get(path, sessionOf('deleter'));
    expect(shown.body.data).toMatchObject({ status: 'revoked', revoked_at: expect.any(String) });
    const listed = await service.client.get('/api/apiKeys/list', sessionOf('deleter'));
    expect(listed.body.data.total).toBe(1);
    expect(idsOf(listed)).not.toContain(key.id);
  });

  it('accepts the empty JSON body that some clients send', async () => {
    const { id } = await issueKey(service.client, 'deleter');
    const headers = { ...sessionOf('deleter'), 'content-type': 'application/json' };
    expect((await service.client.delete(`/api/apiKeys/${id}`, headers)).status).toBe(200);
  });

  it('lets exactly one of many concurrent deletions succeed', async () => {
    const { id } = await issueKey(service.client, 'deleter');
    const calls = Array.from({ length: 8 }, () => service.client.delete(`/api/apiKeys/${id}`, sessionOf('deleter')));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 404, 404, 404, 404, 404, 404, 404]);
  });

  it('lets an admin key delete itself', async () => {
    const key = await issueKey(service.client, 'self-deleter');
    expect((await service.client.delete(`/api/apiKeys/${key.id}`, pairHeaders(key))).status).toBe(200);
    expect((await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key))).status).toBe(401);
  });
});

describe('another owner', () => {
  it.each(['GET', 'DELETE'])('finds no key that is not its own (%s)', async (method) => {
    const { id } = await issueKey(service.client, 'victim');
    const stranger = await issueKey(service.client, 'stranger');
    for (const headers of [sessionOf('stranger'), pairHeaders(stranger)]) {
      const answer = await service.client.call(method, `/api/apiKeys/${id}`, { headers });
      expect(answer.status).toBe(404);
      expect(answer.body.error.code).toBe('key_not_found');
    }
    const shown = await service.client.get(`/api/apiKeys/${id}`, sessionOf('victim'));
    expect(shown.body.data.status).toBe('active');
  });
});

describe('GET /api/apiKeys/testAuthentication', () => {
  it.each(['/api/apiKeys/testAuthentication', '/api/apiKeys/testAuthentication/'])(
    'congratulates any valid key at %s and returns its effective scopes',
    async (path) => {
      const key = await issueKey(service.client, 'tester', powerlessBody);
      const answer = await service.client.get(path, pairHeaders(key));
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        message: 'Congratulations! You are communicating with the Web3 IPFS API!',
        data: {
          id: key.id,
          name: 'powerless',
          owner_id: 'tester',
          scopes: powerlessBody.scopes,
          limits: noLimits,
          uses: 0,
        },
        status: 'success',
      });
    },
  );

  it('returns every scope of a short-form admin key and of a session', async () => {
    const key = await issueKey(service.client, 'tester', { name: 'short', scopes: { admin: true } });
    for (const headers of [pairHeaders(key), sessionOf('tester')]) {
      const answer = await service.client.get('/api/apiKeys/testAuthentication', headers);
      expect(answer.body.data).toMatchObject({ owner_id: 'tester', scopes: documentedBody.scopes });
    }
  });
});

function idsOf(answer: { body: { data: { api_keys: { id: string }[] } } }): string[] {
  return answer.body.data.api_keys.map(({ id }) => id);
}
