import { DataSource } from 'typeorm';
import { AUDIT_ACTIONS } from '../src/audit/audit-actions.js';
import { checkAudit } from '../src/audit/audit-check.js';
import { Revocations } from '../src/api-keys/revocation/revocations.js';
import { OPERATOR } from '../src/principals/audit-source.js';
import { runConcurrently, range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import { clockAhead } from './support/clock.js';
import { createTestDatabase } from './support/database.js';
import {
  bodyWith,
  documentedBody,
  fullScopes,
  issued,
  issueKey,
  type IssuedKey,
  pairHeaders,
  powerlessBody,
} from './support/keys.js';
import { startService, type TestService, useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { until } from './support/until.js';

const clock = clockAhead();
let dataSource: DataSource;
const service = useService({ TRUSTED_PROXIES: '127.0.0.1' }, clock);
beforeAll(async () => {
  dataSource = service.app.get(DataSource);
});

interface Event {
  seq: number;
  at: string;
  actor: string;
  action: string;
  api_key_id: string | null;
  refusal: string | null;
  changes: Record<string, unknown>;
}

const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const from = { 'x-forwarded-for': '203.0.113.7', 'x-request-id': 'request-7' };
const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  service.client.call(method, path, { headers: { ...headers, ...from }, body });
const ask = (owner: string, query = '') => service.client.get(`/api/apiKeys/events?${query}`, sessionOf(owner));

/** All events of the owner, or those that a query matches, oldest first. */
async function eventsOf(owner: string, query = ''): Promise<Event[]> {
  const answer = await ask(owner, `limit=100&${query}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body.data.events.toReversed();
}

/** Waits for events that are recorded after the answer. */
async function waitFor(owner: string, count: number): Promise<Event[]> {
  await until(async () => (await eventsOf(owner)).length >= count, `${count} events`);
  return eventsOf(owner);
}

describe('an event', () => {
  it('records for every change who made it, from where, in which request, and what changed', async () => {
    const by = { ip: '203.0.113.7', request_id: 'request-7', refusal: null };
    const headers = sessionOf('ann');
    const limits = { max_uses: 9 };
    const admin = issued(await call('POST', '/api/apiKeys', headers, { ...documentedBody, name: 'admin' }));
    const key = issued(await call('POST', '/api/apiKeys', pairHeaders(admin), { ...powerlessBody, limits }));
    const changed = bodyWith(['pinning.unpin'], { name: 'new', enabled: false, metadata: { note: 'private' } });
    await call('PATCH', pathOf(key), headers, { ...changed, limits: { max_uses: null } });
    clock.time += 1_000;
    const rotated = issued(await call('POST', `${pathOf(key)}/rotate`, headers, { overlap_seconds: 60 }));
    await call('DELETE', `${pathOf(admin)}?cascade=true`, headers);

    const events = await eventsOf('ann');
    const full = { not_before: null, expires_at: null, max_uses: 9, rate_limit: null, allowed_cidrs: null };
    const ofAdmin = { ...by, actor: 'session', api_key_id: admin.id };
    const ofKey = { ...by, actor: 'session', api_key_id: key.id };
    expect(events).toEqual([
      {
        ...ofAdmin,
        seq: 1,
        at: expect.any(String),
        action: 'key.created',
        changes: { name: 'admin', scopes: documentedBody.scopes, limits: { ...full, max_uses: null } },
      },
      {
        ...ofKey,
        seq: 2,
        at: expect.any(String),
        actor: `key:${admin.id}`,
        action: 'key.created',
        changes: { name: 'powerless', scopes: powerlessBody.scopes, limits: full },
      },
      {
        ...ofKey,
        seq: 3,
        at: expect.any(String),
        action: 'key.updated',
        changes: {
          name: { from: 'powerless', to: 'new' },
          scopes: { from: powerlessBody.scopes, to: (changed as { scopes: object }).scopes },
          enabled: { from: true, to: false },
          limits: { from: full, to: { ...full, max_uses: null } },
          metadata: 'changed',
        },
      },
      {
        ...ofKey,
        seq: 4,
        at: new Date(clock.time).toISOString(),
        action: 'key.rotated',
        changes: { previous_secret_expires_at: new Date(clock.time + 60_000).toISOString() },
      },
      { ...ofAdmin, seq: 5, at: expect.any(String), action: 'key.revoked', changes: { reason: 'deleted' } },
      { ...ofKey, seq: 6, at: expect.any(String), action: 'key.revoked', changes: { reason: 'cascade' } },
    ]);
    const stored = JSON.stringify(await dataSource.query('SELECT * FROM audit_events'));
    for (const { secret_key: secret } of [admin, key, rotated]) expect(stored).not.toContain(secret);
    expect(stored).not.toMatch(/argon2|w3s_|private/);
  });

  it('records leak reports and operators’ commands', async () => {
    const leaked = await issueKey(service.client, 'leaky', powerlessBody);
    const { api_key, secret_key } = leaked;
    await call('POST', '/api/apiKeys/report-leak', {}, { api_key, secret_key });
    const revoked = await issueKey(service.client, 'leaky', powerlessBody);
    await service.app.get(Revocations, { strict: false }).revokeByIdentifier(revoked.api_key, 'operator', OPERATOR);
    expect(await eventsOf('leaky', 'action=key.revoked')).toMatchObject([
      { actor: 'anonymous', ip: '203.0.113.7', request_id: 'request-7', changes: { reason: 'leaked' } },
      { actor: 'operator', ip: null, request_id: null, changes: { reason: 'operator' } },
    ]);
  });

  it('records only the fields that an update changed', async () => {
    const key = await issueKey(service.client, 'same', bodyWith(['data.nft_list']));
    const reversed = Object.fromEntries(Object.entries(fullScopes(['data.nft_list'])).toReversed());
    await call('PATCH', pathOf(key), sessionOf('same'), { scopes: reversed, name: 'other', enabled: true });
    expect((await eventsOf('same')).at(-1)?.changes).toEqual({ name: { from: 'has 1 scopes', to: 'other' } });
  });

  it('records each refused call of a known caller', async () => {
    const owner = 'refused';
    const headers = sessionOf(owner);
    const admin = await issueKey(service.client, owner);
    const powerless = await issueKey(service.client, owner, powerlessBody);
    const elsewhere = await issueKey(service.client, owner, {
      ...documentedBody,
      limits: { allowed_cidrs: ['10.0.0.0/8'] },
    });
    const spent = await issueKey(service.client, owner, { ...documentedBody, limits: { max_uses: 1 } });
    const disabled = await issueKey(service.client, owner);
    await call('PATCH', pathOf(disabled), headers, { enabled: false });
    const others = await issueKey(service.client, 'somebody', powerlessBody);
    await call('GET', pathOf(spent), pairHeaders(spent));
    const calls = [
      [() => call('GET', '/api/apiKeys/list', pairHeaders(powerless)), '403 insufficient_scope', powerless],
      [() => call('PATCH', pathOf(others), headers, { name: 'x' }), '404 key_not_found', undefined],
      [() => call('PATCH', pathOf(admin), pairHeaders(admin), { enabled: false }), '403 exceeds_issuer', admin],
      [() => call('PATCH', pathOf(admin), { ...headers, 'if-match': '"7"' }, {}), '412 precondition_failed', undefined],
      [() => call('GET', '/api/apiKeys/list', pairHeaders(spent)), '403 usage_exceeded', spent],
      [() => call('GET', pathOf(admin), pairHeaders(elsewhere)), '403 ip_not_allowed', elsewhere],
      [() => call('GET', '/api/apiKeys/list', pairHeaders(disabled)), '401 unauthenticated', disabled],
    ] as const;
    let count = (await eventsOf(owner)).length;
    for (const [refuse, outcome, caller] of calls) {
      expect(outcomeOf(await refuse())).toBe(outcome);
      const last = (await waitFor(owner, ++count)).at(-1);
      expect(last).toMatchObject({
        action: 'call.refused',
        refusal: outcome.slice(4),
        actor: caller ? `key:${caller.id}` : 'session',
        ip: '203.0.113.7',
        request_id: 'request-7',
        changes: { call: expect.stringMatching(/^(GET|PATCH) \/api\/apiKeys/) },
      });
    }
    const events = await eventsOf(owner, 'action=call.refused');
    expect(events.map((event) => event.api_key_id)).toEqual([
      null,
      others.id,
      admin.id,
      admin.id,
      null,
      admin.id,
      null,
    ]);
    expect(await eventsOf('somebody', 'action=call.refused')).toEqual([]);
  });

  it('is not recorded for a change that fails', async () => {
    const key = await issueKey(service.client, 'failing', powerlessBody);
    const before = await eventsOf('failing');
    const fail = `ALTER TABLE key_changes ADD CONSTRAINT no_more CHECK (api_key <> '${key.api_key}') NOT VALID`;
    await dataSource.query(fail);
    for (const [method, path, body] of [
      ['PATCH', '', { name: 'x' }],
      ['POST', '/rotate', {}],
      ['DELETE', '', undefined],
    ] as const) {
      expect((await call(method, pathOf(key) + path, sessionOf('failing'), body)).status).toBe(500);
    }
    await dataSource.query('ALTER TABLE key_changes DROP CONSTRAINT no_more');
    expect(await eventsOf('failing')).toEqual(before);
    expect((await service.client.get(pathOf(key), sessionOf('failing'))).body.data).toMatchObject({
      name: 'powerless',
      status: 'active',
    });
    expect((await service.client.get('/api/apiKeys/list', sessionOf('failing'))).body.data.total).toBe(1);
  });
});

describe('GET /api/apiKeys/events', () => {
  let admin: IssuedKey;
  let keys: IssuedKey[];
  const times: string[] = [];
  beforeAll(async () => {
    admin = await issueKey(service.client, 'finder');
    keys = [];
    for (const index of range(12)) {
      clock.time += 1_000;
      times.push(new Date(clock.time).toISOString());
      keys.push(
        issued(await service.client.post('/api/apiKeys', pairHeaders(admin), { ...powerlessBody, name: `${index}` })),
      );
    }
    for (const key of keys.slice(0, 3)) await service.client.delete(pathOf(key), sessionOf('finder'));
  });

  it('lists the newest first, page by page, without repeats while new events arrive', async () => {
    const seen: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const answer = await ask('finder', `limit=5${cursor && `&cursor=${cursor}`}`);
      seen.push(...answer.body.data.events.map(({ seq }: Event) => seq));
      cursor = answer.body.data.next_cursor;
      await service.client.call('PATCH', pathOf(admin), {
        headers: sessionOf('finder'),
        body: { name: `${seen.length}` },
      });
    }
    expect(seen).toEqual(range(16).map((index) => 16 - index));
    expect((await ask('finder', '')).body.data.events).toHaveLength(10);
  });

  it('filters by key, action, actor and time', async () => {
    const seqs = async (query: string) => (await eventsOf('finder', query)).map(({ seq }) => seq);
    expect(await seqs(`api_key_id=${keys[0]?.id}`)).toEqual([2, 14]);
    expect(await seqs(`api_key_id=${keys[0]?.id.toUpperCase()}&action=key.revoked`)).toEqual([14]);
    expect(await seqs('action=key.revoked')).toEqual([14, 15, 16]);
    expect(await seqs(`actor=key:${admin.id}`)).toEqual(range(12).map((index) => index + 2));
    expect(await seqs(`actor=session&action=key.created`)).toEqual([1]);
    expect(await seqs(`from=${times[2]}&to=${times[4]}`)).toEqual([4, 5]);
    expect(await seqs(`to=${times[0]}`)).toEqual([1]);
  });

  it("never returns another owner's events, whatever the filters", async () => {
    expect(await eventsOf('stranger', `api_key_id=${admin.id}`)).toEqual([]);
    expect(await eventsOf('stranger', `actor=key:${admin.id}`)).toEqual([]);
    expect(await eventsOf('stranger', `cursor=${Buffer.from('1000').toString('base64url')}`)).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['api_key_id=x', 'api_key_id'],
    ['action=', 'action'],
    ['action=key%20', 'action'],
    ['action=nothing', 'action'],
    ['action=key.created&action=key.updated', 'action'],
    ['actor=%00', 'actor'],
    ['actor=sesion', 'actor'],
    ['actor=key:7', 'actor'],
    ['from=yesterday', 'from'],
    ['to=2026-02-30T00:00:00Z', 'to'],
    ['cursor=x', 'cursor'],
    [`cursor=${Buffer.from('-1').toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from('1').toString('base64url')}!`, 'cursor'],
    ['offset=1', 'offset'],
  ])('refuses ?%s by its path', async (query, path) => {
    const answer = await ask('finder', query);
    expect(outcomeOf(answer)).toBe('400 validation_failed');
    expect(pathsOf(answer)).toEqual([path]);
  });

  it('lists the valid actions, and suggests the one that was probably meant', async () => {
    const answer = await ask('finder', 'action=key.update');
    expect(answer.body.error.details).toEqual([
      { path: 'action', message: `must be one of ${AUDIT_ACTIONS.join(', ')}; key.updated was probably meant` },
    ]);
  });
});

it('passes the check during and after the writes of 16 concurrent callers', async () => {
  const checking = new AbortController();
  const problems: unknown[] = [];
  const checker = (async () => {
    while (!checking.signal.aborted) problems.push(...(await checkAudit(dataSource)).problems);
  })();
  await runConcurrently(16, range(160), async (index) => {
    const owner = `writer ${index % 2}`;
    const key = await issueKey(service.client, owner, powerlessBody);
    const patched = await call('PATCH', pathOf(key), sessionOf(owner), { name: `${index}` });
    expect(patched.status).toBe(200);
  });
  checking.abort();
  await checker;
  expect(problems).toEqual([]);
  const rows: { seq: string }[] = await dataSource.query(
    `SELECT seq FROM audit_events WHERE owner_id = 'writer 0' ORDER BY seq`,
  );
  expect(rows.map(({ seq }) => Number(seq))).toEqual(range(160).map((index) => index + 1));
  expect((await checkAudit(dataSource)).problems).toEqual([]);
});

// Passport's strategies are global to the process: later tests would use those of the second service
describe('with three calls a minute', () => {
  let limited: TestService;
  beforeAll(async () => {
    limited = await startService({ MANAGEMENT_RATE_LIMIT: '3' }, undefined, clock);
  });
  afterAll(() => limited.stop());
  const refusals = async () => {
    const query = `SELECT refusal FROM audit_events WHERE action = 'call.refused'`;
    return (await limited.app.get(DataSource).query(query)) as { refusal: string }[];
  };

  it('there is no event of what is malformed, nor of what comes too often', async () => {
    const get = (path: string) => limited.client.get(path, sessionOf('ann'));
    expect((await get('/api/apiKeys/list?limit=0')).status).toBe(400);
    expect((await get('/api/apiKeys/nonsense')).status).toBe(400);
    expect((await get('/api/apiKeys/00000000-0000-7000-8000-000000000000')).status).toBe(404);
    expect((await get('/api/apiKeys/list')).status).toBe(429);
    await until(async () => (await refusals()).length > 0, 'the one event');
    expect(await refusals()).toEqual([{ refusal: 'key_not_found' }]);
  });

  it('one event is recorded for a refused call, and one a minute later for all since', async () => {
    const key = await issueKey(limited.client, 'bob', powerlessBody);
    const repeat = async (times: number) => {
      for (const _ of range(times)) {
        expect((await limited.client.get('/api/apiKeys/list', pairHeaders(key))).status).toBe(403);
      }
    };
    const changes = async () => {
      const query = `SELECT changes FROM audit_events WHERE owner_id = 'bob' AND action = 'call.refused' ORDER BY seq`;
      const rows: { changes: object }[] = await limited.app.get(DataSource).query(query);
      return rows.map((row) => row.changes);
    };
    const listing = { call: 'GET /api/apiKeys/list' };
    await repeat(1);
    await until(async () => (await changes()).length > 0, 'the first event');
    await repeat(11);
    const since = new Date(clock.time).toISOString();
    clock.time += 60_000;
    await until(async () => (await changes()).length > 1, 'the summary');
    expect(await changes()).toEqual([listing, { ...listing, times: 11, since }]);
    expect((await checkAudit(limited.app.get(DataSource))).problems).toEqual([]);
  });

  it('the last refusals are recorded when the process stops', async () => {
    const database = await createTestDatabase();
    const first = await startService({}, database, clock);
    const key = await issueKey(first.client, 'eve', powerlessBody);
    for (const _ of range(5)) await first.client.get('/api/apiKeys/list', pairHeaders(key));
    await first.stop();
    const second = await startService({}, database, clock);
    const rows: { changes: { times?: number } }[] = await second.app
      .get(DataSource)
      .query(`SELECT changes FROM audit_events WHERE action = 'call.refused'`);
    await second.stop();
    await database.drop();
    expect(rows.reduce((sum, { changes }) => sum + (changes.times ?? 1), 0)).toBe(5);
  });
});

it('scans 10,000 events for a page of a search, and returns a cursor that continues after them', async () => {
  const key = await issueKey(service.client, 'zoe', powerlessBody);
  await dataSource.query(
    `INSERT INTO audit_events (owner_id, seq, at, actor, action, api_key_id, changes, hash)
     SELECT owner_id, n, at, actor, 'key.updated', api_key_id, '{}', hash
     FROM audit_events, generate_series(2, 20001) AS n WHERE owner_id = 'zoe'`,
  );
  await dataSource.query("UPDATE owners SET audit_seq = 20001 WHERE owner_id = 'zoe'");
  const page = async (query: string) => {
    const { events, next_cursor: cursor } = (await ask('zoe', query)).body.data;
    return { seqs: (events as Event[]).map(({ seq }) => seq), cursor };
  };
  let cursor = '';
  for (const expected of [[], [], [1]]) {
    const found = await page(`action=key.created${cursor && `&cursor=${cursor}`}`);
    expect(found).toEqual({ seqs: expected, cursor: expected.length > 0 ? null : expect.any(String) });
    cursor = found.cursor;
  }
  // An index finds those of one key, and all of them
  for (const query of ['', `api_key_id=${key.id}`]) {
    const behind = Buffer.from('3').toString('base64url');
    expect(await page(`${query}&limit=2&cursor=${behind}`)).toEqual({ seqs: [2, 1], cursor: null });
    expect((await page(`${query}&limit=2`)).seqs).toEqual([20_001, 20_000]);
  }
  expect((await page('action=key.updated&limit=100')).seqs).toHaveLength(100);
});
