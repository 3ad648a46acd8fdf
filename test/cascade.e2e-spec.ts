import { DataSource } from 'typeorm';
import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf } from './support/answers.js';
import { documentedBody, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

const service = useService();

const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const shown = async (key: IssuedKey) => (await service.client.get(pathOf(key), sessionOf('ann'))).body.data;
const child = async (parent: IssuedKey, body: object = documentedBody) =>
  issued(await service.client.post('/api/apiKeys', pairHeaders(parent), body));
const cascade = (key: IssuedKey, headers: Record<string, string> = sessionOf('ann')) =>
  service.client.delete(`${pathOf(key)}?cascade=true`, headers);
const liveTotal = async () => (await service.client.get('/api/apiKeys/list', sessionOf('ann'))).body.data.total;

describe('DELETE /api/apiKeys/:id?cascade=true', () => {
  it('revokes all descendants of the key at any depth, including those below keys revoked earlier', async () => {
    const root = await issueKey(service.client, 'ann');
    const sibling = await issueKey(service.client, 'ann');
    const parent = await child(root);
    const revoked = await child(parent);
    const deep = await child(revoked);
    const deepest = [await child(deep), await child(deep, powerlessBody)];
    const niece = await child(sibling);
    expect((await service.client.delete(pathOf(revoked), sessionOf('ann'))).status).toBe(200);
    const total = await liveTotal();

    const answer = await cascade(root);
    expect(answer.status).toBe(200);
    const data = { revoked: 5, complete: true };
    expect(answer.body).toEqual({ message: 'API key has been deleted', data, status: 'success' });
    expect(await liveTotal()).toBe(total - 5);
    expect(await shown(root)).toMatchObject({ status: 'revoked', revoked_reason: 'deleted' });
    expect(await shown(revoked)).toMatchObject({ status: 'revoked', revoked_reason: 'deleted' });
    for (const key of [parent, deep, ...deepest]) {
      expect(await shown(key)).toMatchObject({ status: 'revoked', revoked_reason: 'cascade' });
      const used = await service.client.get('/api/apiKeys/testAuthentication', pairHeaders(key));
      expect(used.body.error.reason).toBe('REVOKED');
    }
    for (const key of [sibling, niece]) expect((await shown(key)).status).toBe('active');
    expect(outcomeOf(await cascade(root))).toBe('404 key_not_found');
  });

  it.each(['', '?cascade=false'])('does not happen with %j', async (query) => {
    const root = await issueKey(service.client, 'ann');
    const issuedByIt = await child(root, powerlessBody);
    const answer = await service.client.delete(pathOf(root) + query, sessionOf('ann'));
    const data = { revoked: 1, complete: true };
    expect(answer.body).toEqual({ message: 'API key has been deleted', data, status: 'success' });
    expect((await shown(issuedByIt)).status).toBe('active');
  });

  it.each(['cascade=', 'cascade=1', 'cascade=TRUE', 'cascade=true&cascade=true', 'deep=true'])(
    'is not requested by ?%s',
    async (query) => {
      const key = await issueKey(service.client, 'ann');
      const answer = await service.client.delete(`${pathOf(key)}?${query}`, sessionOf('ann'));
      expect(outcomeOf(answer)).toBe('400 validation_failed');
      expect((await shown(key)).status).toBe('active');
    },
  );

  it('stays within the owner, even if another owner has a key recorded as issued by it', async () => {
    const root = await issueKey(service.client, 'ann');
    const others = await issueKey(service.client, 'bob');
    const update = 'UPDATE api_keys SET issued_by = $1 WHERE id = $2';
    await service.app.get(DataSource).query(update, [root.id, others.id]);
    expect((await cascade(root)).body.data.revoked).toBe(1);
    expect((await service.client.get(pathOf(others), pairHeaders(others))).body.data.status).toBe('active');
    expect(outcomeOf(await cascade(others))).toBe('404 key_not_found');
  });

  it('lets a key revoke itself with its descendants, and a child its parent', async () => {
    const root = await issueKey(service.client, 'ann');
    await child(root);
    expect((await cascade(root, pairHeaders(root))).body.data.revoked).toBe(2);
    const parent = await issueKey(service.client, 'ann');
    expect((await cascade(parent, pairHeaders(await child(parent)))).body.data.revoked).toBe(2);
  });

  it('leaves no key live that a descendant issues, changes or rotates in the meantime', async () => {
    const outcomes = new Set<string>();
    await runConcurrently(2, range(12), async () => {
      const root = await issueKey(service.client, 'ann');
      const children = [await child(root), await child(root), await child(root)];
      const late: IssuedKey[] = [];
      const busy = children.map(async (key) => {
        for (;;) {
          const answers = await Promise.all([
            service.client.post('/api/apiKeys', pairHeaders(key), powerlessBody),
            service.client.call('PATCH', pathOf(key), { headers: pairHeaders(key), body: { name: 'busy' } }),
          ]);
          for (const answer of answers) outcomes.add(outcomeOf(answer));
          const [answer] = answers;
          if (answer?.status !== 200) return;
          late.push(issued(answer));
        }
      });
      await until(() => late.length >= 3, 'keys to be issued');
      expect((await cascade(root)).status).toBe(200);
      await Promise.all(busy);
      for (const key of [root, ...children, ...late]) expect((await shown(key)).status).toBe('revoked');
    });
    const allowed = new Set(['200', '401 unauthenticated', '404 key_not_found']);
    expect([...outcomes].filter((outcome) => !allowed.has(outcome))).toEqual([]);
    const { total, api_keys: keys } = (await service.client.get('/api/apiKeys/list?limit=100', sessionOf('ann'))).body
      .data;
    expect(keys).toHaveLength(total);
  });
});

describe('a deleted key', () => {
  let key: IssuedKey;
  beforeAll(async () => {
    key = await issueKey(service.client, 'carl');
    await service.client.delete(pathOf(key), sessionOf('carl'));
  });

  it('can be read by its id, and is listed only under its status', async () => {
    const answer = await service.client.get(pathOf(key), sessionOf('carl'));
    expect(answer.body.data).toMatchObject({
      status: 'revoked',
      revoked_reason: 'deleted',
      revoked_at: expect.any(String),
    });
    const list = async (query: string) =>
      (await service.client.get(`/api/apiKeys/list${query}`, sessionOf('carl'))).body.data;
    expect(await list('')).toEqual({ total: 0, api_keys: [], next_cursor: null });
    expect(await list('?status=active')).toMatchObject({ total: 0, api_keys: [] });
    expect(await list('?status=revoked')).toEqual({ total: 1, api_keys: [answer.body.data], next_cursor: null });
  });

  it.each([
    ['PATCH', '', { enabled: true }],
    ['PATCH', '', { name: 'back' }],
    ['POST', '/rotate', {}],
    ['DELETE', '', undefined],
    ['DELETE', '?cascade=true', undefined],
  ])('does not exist for %s %s', async (method, rest, body) => {
    const answer = await service.client.call(method, pathOf(key) + rest, { headers: sessionOf('carl'), body });
    expect(outcomeOf(answer)).toBe('404 key_not_found');
  });

  it('does not exist for If-Match with its ETag either', async () => {
    const { headers } = await service.client.get(pathOf(key), sessionOf('carl'));
    const conditional = { ...sessionOf('carl'), 'if-match': String(headers.etag) };
    const answer = await service.client.call('PATCH', pathOf(key), { headers: conditional, body: {} });
    expect(outcomeOf(answer)).toBe('404 key_not_found');
  });
});
