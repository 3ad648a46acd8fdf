import { DataSource } from 'typeorm';
import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import { clockAhead } from './support/clock.js';
import { bodyWith, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { pairOf, serviceVariables, verify } from './support/verification.js';

const clock = clockAhead();
const inSeconds = (seconds: number) => new Date(clock.time + seconds * 1_000).toISOString();

const service = useService(serviceVariables, clock);

interface Page {
  total: number;
  api_keys: (IssuedKey & { name: string; status: string })[];
  next_cursor: string | null;
}

const ask = (owner: string, query: string) => service.client.get(`/api/apiKeys/list?${query}`, sessionOf(owner));
const list = async (owner: string, query: string): Promise<Page> => (await ask(owner, query)).body.data;
const namesOf = ({ api_keys: keys }: Page) => keys.map(({ name }) => name);
const issue = (owner: string, body: object) => issueKey(service.client, owner, { ...powerlessBody, ...body });
const remove = ({ id }: IssuedKey, owner: string, query = '') =>
  service.client.delete(`/api/apiKeys/${id}${query}`, sessionOf(owner));

describe('the filters', () => {
  it('match the current status, as each key shows it', async () => {
    const expires_at = inSeconds(20);
    const not_before = inSeconds(10);
    await issue('ann', { name: 'plain' });
    await issue('ann', { name: 'expiring', limits: { expires_at } });
    await issue('ann', { name: 'beginning', limits: { not_before, expires_at } });
    const spent = await issue('ann', { name: 'spent', limits: { max_uses: 1, expires_at } });
    const disabled = await issue('ann', { name: 'disabled', limits: { not_before } });
    const revoked = await issue('ann', { name: 'revoked', limits: { expires_at } });
    expect((await verify(service.client, spent)).body.data.code).toBe('VALID');
    await service.client.call('PATCH', `/api/apiKeys/${disabled.id}`, {
      headers: sessionOf('ann'),
      body: { enabled: false },
    });
    await remove(revoked, 'ann');

    const found = async () => {
      const statuses: Record<string, string[]> = {};
      for (const status of ['active', 'disabled', 'pending', 'expired', 'exhausted', 'revoked']) {
        const page = await list('ann', `status=${status}`);
        expect(page.total).toBe(page.api_keys.length);
        expect(page.api_keys.every((key) => key.status === status)).toBe(true);
        statuses[status] = namesOf(page);
      }
      return statuses;
    };
    const always = { disabled: ['disabled'], revoked: ['revoked'] };
    expect(await found()).toEqual({
      ...always,
      active: ['expiring', 'plain'],
      pending: ['beginning'],
      expired: [],
      exhausted: ['spent'],
    });
    clock.time += 9_999;
    expect((await found())['pending']).toEqual(['beginning']);
    clock.time += 1;
    expect((await found())['active']).toEqual(['beginning', 'expiring', 'plain']);
    clock.time += 10_000;
    expect(await found()).toEqual({
      ...always,
      active: ['plain'],
      pending: [],
      expired: ['spent', 'beginning', 'expiring'],
      exhausted: [],
    });
  });

  it.each([
    ['lower', ['lower 100%']],
    ['LOWER', ['lower 100%']],
    ['upper_', ['UPPER_case']],
    ['e', ['Ärger', 'UPPER_case', 'lower 100%']],
    ['%', ['lower 100%']],
    ['_', ['UPPER_case']],
    ['\\', ['back\\slash']],
    ['ÄRGER', ['Ärger']],
    ["'", []],
    ['lower%', []],
  ])('match the name %j literally, in any case', async (name, expected) => {
    if ((await list('bob', '')).total === 0) {
      for (const one of ['lower 100%', 'UPPER_case', 'back\\slash', 'Ärger']) await issue('bob', { name: one });
    }
    const page = await list('bob', `name=${encodeURIComponent(name)}`);
    expect(namesOf(page)).toEqual(expected);
    expect(page.total).toBe(namesOf(page).length);
  });

  it('match the keys that effectively have a scope', async () => {
    const bodies = {
      none: powerlessBody,
      unpins: bodyWith(['pinning.unpin']),
      lists: bodyWith(['data.pin_list', 'pinning.unpin']),
      admin: { scopes: { admin: true } },
    };
    for (const [name, body] of Object.entries(bodies)) await issue('carl', { ...body, name });
    expect(namesOf(await list('carl', 'scope=pinning.unpin'))).toEqual(['admin', 'lists', 'unpins']);
    expect(namesOf(await list('carl', 'scope=data.pin_list'))).toEqual(['admin', 'lists']);
    expect(namesOf(await list('carl', 'scope=pin_nft.unpin_nft'))).toEqual(['admin']);
    expect(namesOf(await list('carl', 'scope=admin'))).toEqual(['admin']);
    const both = await list('carl', 'scope=pinning.unpin&name=s&status=active&limit=1');
    expect([both.total, namesOf(both)]).toEqual([2, ['lists']]);
    expect(await list('nobody', 'scope=admin')).toEqual({ total: 0, api_keys: [], next_cursor: null });
  });
});

describe('the cursor', () => {
  it('neither skips nor repeats a key while keys are issued and deleted between pages', async () => {
    const keys = [];
    for (const index of range(30)) keys.push(await issue('dora', { name: `key ${index}` }));
    const there = new Set(keys.map(({ id }) => id));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list('dora', `limit=7${cursor && `&cursor=${cursor}`}`);
      for (const { id } of page.api_keys) seen.push(id);
      expect(page.total).toBe(there.size);
      // A returned one and the next one are deleted, and a new one is issued
      for (const gone of [seen.at(-1), keys.findLast(({ id }) => there.has(id) && id < (seen.at(-1) ?? ''))?.id]) {
        const key = keys.find(({ id }) => id === gone);
        if (key && there.delete(key.id)) await remove(key, 'dora');
      }
      there.add((await issue('dora', { name: 'late' })).id);
      ({ next_cursor: cursor } = page);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(seen.toSorted().toReversed());
    const stayed = keys.filter(({ id }) => there.has(id)).map(({ id }) => id);
    expect(stayed.filter((id) => !seen.includes(id))).toEqual([]);
    expect(stayed.length).toBeGreaterThan(15);
  });

  it.each([
    ['', 3],
    ['&name=even', 2],
    ['&status=revoked', 0],
  ])('pages through the matches of %j, and ends with null', async (filter, count) => {
    const owner = `eve${count}`;
    for (const name of ['even 0', 'odd 1', 'even 2']) await issue(owner, { name });
    let pages = 0;
    let cursor: string | null = '';
    const names: string[] = [];
    while (cursor !== null) {
      const page: Page = await list(owner, `limit=1${filter}${cursor && `&cursor=${cursor}`}`);
      names.push(...namesOf(page));
      expect(page.total).toBe(count);
      cursor = page.next_cursor;
      pages++;
    }
    expect([pages, names.length]).toEqual([Math.max(1, count), count]);
  });

  it.each(['abc', '%00', 'MQ', Buffer.from('x'.repeat(36)).toString('base64url'), '', '!!!!'])(
    'is refused when it is %j',
    async (cursor) => {
      expect(pathsOf(await ask('ann', `cursor=${cursor}`))).toEqual(['cursor']);
    },
  );

  it('is refused if it was altered', async () => {
    await issue('fay', {});
    await issue('fay', {});
    const { next_cursor: cursor } = await list('fay', 'limit=1');
    expect((await ask('fay', `cursor=${cursor}`)).status).toBe(200);
    for (const altered of [`${cursor}!`, `${cursor}%3D`, ` ${cursor}`, `${cursor}&cursor=${cursor}`]) {
      const answer = await ask('fay', `cursor=${altered.replace(' ', '%20')}`);
      expect([altered, outcomeOf(answer)]).toEqual([altered, '400 validation_failed']);
      expect(pathsOf(answer)).toEqual(['cursor']);
    }
    expect(pathsOf(await ask('fay', `offset=1&cursor=${cursor}`))).toEqual(['offset']);
  });
});

it.each([
  ['status=ACTIVE', 'status', /^must be one of active, .*; active was probably meant$/],
  ['status=active&status=revoked', 'status', /^is given more than once$/],
  ['limit=1&limit=1', 'limit', /^is given more than once$/],
  ['scope=pin_list', 'scope', /^must be one of admin, data\.pin_list, .*; data\.pin_list was probably meant$/],
  ['sort=name', 'sort', /^is not a known parameter$/],
  ['page=2', 'page', /^is not a known parameter; offset was probably meant$/],
])('explains what is wrong with ?%s', async (query, path, message) => {
  const answer = await ask('ann', query);
  expect(outcomeOf(answer)).toBe('400 validation_failed');
  expect(answer.body.error.details).toEqual([{ path, message: expect.stringMatching(message) }]);
});

it.each([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['offset=10001', 'offset'],
  ['status=ACTIVE', 'status'],
  ['status=', 'status'],
  ['status=active&status=revoked', 'status'],
  ['scope=pinning', 'scope'],
  ['scope=', 'scope'],
  ['name=', 'name'],
  ['name=%00', 'name'],
  [`name=${'x'.repeat(101)}`, 'name'],
  ['owner_id=bob', 'owner_id'],
])('refuses ?%s by its path', async (query, path) => {
  const answer = await ask('ann', query);
  expect(outcomeOf(answer)).toBe('400 validation_failed');
  expect(pathsOf(answer)).toEqual([path]);
});

it('accepts a limit of 1 and of 100', async () => {
  await runConcurrently(8, range(101), async (index) => void (await issue('gus', { name: `key ${index}` })));
  expect((await list('gus', 'limit=1')).api_keys).toHaveLength(1);
  expect((await list('gus', 'limit=100')).api_keys).toHaveLength(100);
  expect((await list('gus', 'limit=100&offset=100')).api_keys).toHaveLength(1);
});

it('keeps the total right under concurrent changes', async () => {
  const admin = { scopes: { admin: true } };
  await runConcurrently(12, range(60), async (index) => {
    const key = await issue('hal', { ...admin, name: `key ${index}` });
    if (index % 5 === 1) await Promise.all([remove(key, 'hal'), remove(key, 'hal')]);
    if (index % 5 === 2) {
      const child = issued(await service.client.post('/api/apiKeys', pairHeaders(key), powerlessBody));
      await Promise.all([remove(key, 'hal', '?cascade=true'), remove(child, 'hal')]);
    }
    if (index % 5 === 3) {
      const report = () => service.client.post('/api/apiKeys/report-leak', {}, pairOf(key));
      await Promise.all([report(), report(), remove(key, 'hal')]);
    }
    if (index % 5 === 4) expect((await issueRefused(index)).status).toBe(400);
  });
  expect((await list('hal', '')).total).toBe(24);
  expect((await list('hal', 'limit=100')).api_keys).toHaveLength(24);
  expect((await list('hal', 'status=revoked')).total).toBe(48);
});

const issueRefused = (index: number) =>
  service.client.post('/api/apiKeys', sessionOf('hal'), { ...powerlessBody, name: index });

describe('an owner with very many keys', () => {
  const MANY = 10_050;
  let needle: IssuedKey;
  beforeAll(async () => {
    needle = await issue('ivy', { name: 'needle' });
    // Older than all issued ones: ids are ordered by creation
    await service.app.get(DataSource).query(
      `INSERT INTO api_keys (id, owner_id, name, api_key, secret_hash, scopes, metadata, created_at, updated_at, revoked_at)
       SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, owner_id,
              CASE n WHEN 1 THEN 'oldest' ELSE 'hay' END, 'w3k_' || lpad(n::text, 20, '0'), secret_hash, scopes, metadata,
              created_at, updated_at, CASE WHEN n > $2 THEN created_at END
       FROM api_keys, generate_series(1, 2 * $2::int) AS n WHERE id = $1`,
      [needle.id, MANY],
    );
    await service.app.get(DataSource).query('UPDATE owners SET live_keys = $1 WHERE owner_id = $2', [MANY + 1, 'ivy']);
  }, 60_000);

  it('gets pages of a search that scan a bounded number of keys each, and the rest by the cursor', async () => {
    const first = await list('ivy', 'name=oldest');
    expect([first.total, namesOf(first), typeof first.next_cursor]).toEqual([0, [], 'string']);
    const second = await list('ivy', `name=oldest&cursor=${first.next_cursor}`);
    expect([second.total, namesOf(second), second.next_cursor]).toEqual([0, ['oldest'], null]);
    const both = await list('ivy', 'name=e');
    expect([both.total, namesOf(both), typeof both.next_cursor]).toEqual([1, ['needle'], 'string']);
  });

  it.each(['status=active', 'status=revoked', 'scope=pinning.unpin&status=revoked', 'name=a'])(
    'counts the keys of ?%s, up to more than 10,000',
    async (query) => {
      const found = (await list('ivy', `${query}&limit=1`)).total;
      expect(found).toBe(query.startsWith('scope') ? 0 : query === 'name=a' ? 10_000 : 10_001);
    },
  );

  it('gets every key exactly once on the pages of a search', async () => {
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = await list('ivy', `name=a&limit=100${cursor && `&cursor=${cursor}`}`);
      for (const { id } of page.api_keys) seen.push(id);
      ({ next_cursor: cursor } = page);
    }
    expect([seen.length, new Set(seen).size]).toEqual([MANY - 1, MANY - 1]);
  });

  it('gets an exact total without filters, and the last key by an offset of 10,000', async () => {
    const page = await list('ivy', 'offset=10000&limit=100');
    expect([page.total, namesOf(page).length, namesOf(page).at(-1), page.next_cursor]).toEqual([
      MANY + 1,
      51,
      'oldest',
      null,
    ]);
  });
});
