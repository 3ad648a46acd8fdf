import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { runConcurrently, range } from '../support/at-once.js';
import type { Answer } from '../support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from '../support/database.js';
import { type FloodRequest, startFlood } from '../support/flood.js';
import { insertChildren } from '../support/key-rows.js';
import { documentedBody, issued, issueKey, type IssuedKey, pairHeaders, powerlessBody } from '../support/keys.js';
import { type ServiceProcess, sharedVariables, startProcess } from '../support/process.js';
import { sessionOf } from '../support/sessions.js';
import { pairOf, verify } from '../support/verification.js';

/** The requests of other callers during the flood, and how often each is sent. */
const VERIFIED = 600;
const USED = 200;
const COLD = 100;
const CREATED = 100;
const CALLERS = 4;
const OTHERS = 200;

const KINDS = ['verify', 'use', 'cold', 'create'] as const;
type Kind = (typeof KINDS)[number];
type Times = Record<Kind, number[]>;

/** A flood: requests repeated on this many connections, and one sent once. */
interface Flood {
  connections: number;
  /** A status with which some of them have to be answered: otherwise there was no flood. */
  status: number;
  requests: FloodRequest[];
  besides?: () => Promise<Answer>;
}

/** How many times larger the p99 of other callers may be during the flood. */
const MAX_TIMES = 2;
/** The rounds alternate with and without the flood, so that a slow moment of the machine affects both. */
const ROUNDS = 3;
/** Other load of the machine affects few rounds: the median of at most this many has to meet the bound. */
const MAX_ROUNDS = 15;

const madeUpPair = { pinning_api_key: `w3k_${'x'.repeat(20)}`, pinning_secret_key: `w3s_${'y'.repeat(40)}` };

// The embedded database shares the process's one thread, and cannot be isolated from it
(onServer ? describe : describe.skip)("one caller's flood", () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let service: ServiceProcess;
  let known: IssuedKey[];
  const db = {
    query: async <T>(text: string, values?: unknown) => (await sql.query(text, values as unknown[])).rows as T,
  };
  let limited: IssuedKey[];

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client({ connectionString: database.variables.DATABASE_URL as string });
    await sql.connect();
    service = await startProcess({
      ...sharedVariables,
      ...database.variables,
      MANAGEMENT_RATE_LIMIT: '60',
      MAX_KEYS_PER_OWNER: '1000000',
    });
    const issueAll = (limits: object) =>
      Promise.all(range(10).map((index) => issueKey(service.client, `other-${index}`, { ...powerlessBody, limits })));
    known = await issueAll({});
    limited = await issueAll({ max_uses: 1_000_000 });
    for (const key of [...known, ...limited]) await verify(service.client, key);
  });
  afterAll(async () => {
    await service?.stop('SIGKILL');
    await sql?.end();
    await database?.drop();
  });

  it('of filtered lists, by 20 admin keys of one owner with 300,000 keys', async () => {
    await withstand('lists', async (owner) => {
      const root = await issueKey(service.client, owner);
      await insertChildren(db, owner, root, 300_000);
      const keys = await adminKeys(owner, 20);
      const requests = keys.map((key, index) => ({
        method: 'GET',
        path: `/api/apiKeys/list?name=nothing-like-this-${index}&scope=pinning.unpin&status=active`,
        headers: pairHeaders(key),
      }));
      return { connections: 20, status: 200, requests };
    });
  });

  it('of issued keys, by 20 admin keys of one owner', async () => {
    await withstand('new keys', async (owner) => {
      const keys = await adminKeys(owner, 20);
      const body = JSON.stringify(powerlessBody);
      const callWith = (key: IssuedKey) => ({ method: 'POST', path: '/api/apiKeys', headers: pairHeaders(key), body });
      return { connections: 20, status: 200, requests: keys.map(callWith) };
    });
  });

  it('of reports of one revoked pair, over 90 connections', async () => {
    await withstand('leak reports', async (owner) => ({
      connections: 90,
      status: 429,
      requests: [reportOf(await revokedKey(owner))],
    }));
  });

  it('of testAuthentication by one key without rights, over 200 connections', async () => {
    await withstand('testAuthentication', async (owner) => {
      const headers = pairHeaders(await issueKey(service.client, owner, powerlessBody));
      const requests = [{ method: 'GET', path: '/api/apiKeys/testAuthentication', headers }];
      return { connections: 200, status: 200, requests };
    });
  });

  it('of requests over their rate, over 200 connections', async () => {
    await withstand('429s', async (owner) => ({
      connections: 200,
      status: 429,
      requests: [{ method: 'GET', path: '/api/apiKeys/list', headers: sessionOf(owner) }],
    }));
  });

  it('of invalid tokens and pairs, over 100 connections', async () => {
    const forged = `${sessionOf('forger').authorization.slice(0, -8)}AAAAAAAA`;
    await withstand('false credentials', async () => ({
      connections: 100,
      status: 401,
      requests: [
        { method: 'GET', path: '/api/apiKeys/list', headers: { authorization: forged } },
        { method: 'POST', path: '/api/apiKeys', headers: madeUpPair, body: JSON.stringify(documentedBody) },
      ],
    }));
  });

  it('of made-up pairs at the route for gateways, over 250 connections', async () => {
    await withstand('authorize', async () => ({
      connections: 250,
      status: 401,
      requests: [{ method: 'GET', path: '/api/apiKeys/authorize?scope=admin', headers: madeUpPair }],
    }));
  });

  it('of hostile bodies of 64 KB, over 60 connections', async () => {
    const members = range(101).map(() => `"toString":1`);
    const named = `{"${'n'.repeat(60_000)}":{${members.join()}}}`;
    const unknown = `{${range(7_200)
      .map((index) => `"m${index}":1`)
      .join()}}`;
    const requests = [named, unknown].map((body) => ({ method: 'POST', path: '/api/apiKeys/report-leak', body }));
    await withstand('hostile bodies', async () => ({ connections: 60, status: 413, requests }));
  });

  it('of tokens with unknown keys while the key set hangs locks out no caller with an API key', async () => {
    const hanging: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as AddressInfo;
    const admins = await Promise.all(range(40).map((index) => issueKey(service.client, `other-${index}`)));
    const { JWT_PUBLIC_KEY: _, ...shared } = sharedVariables;
    const jwks = { JWT_JWKS_URL: `http://127.0.0.1:${port}/jwks` };
    const other = await startProcess({
      ...shared,
      ...database.variables,
      ...jwks,
      MANAGEMENT_RATE_LIMIT: '60',
      MAX_KEYS_PER_OWNER: '1000000',
    });
    const flood = await startFlood(other.client.url, 100, [
      { method: 'GET', path: '/api/apiKeys/list', headers: sessionOf('waiting') },
    ]);
    try {
      const answers: Answer[] = [];
      await runConcurrently(CALLERS, admins, async (key) => {
        answers.push(await other.client.get('/api/apiKeys/list', pairHeaders(key)));
        answers.push(await other.client.post('/api/apiKeys', pairHeaders(key), powerlessBody));
      });
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    } finally {
      hanging.closeAllConnections();
      hanging.close();
      await flood();
      await other.stop('SIGKILL');
    }
  });

  it('of a cascade over 150,000 keys, and reports of a revoked pair', async () => {
    await withstand('a cascade', async (owner) => {
      const root = await issueKey(service.client, owner);
      await insertChildren(db, owner, root, 150_000);
      const requests = [reportOf(await revokedKey(owner))];
      const besides = () => service.client.delete(`/api/apiKeys/${root.id}?cascade=true`, sessionOf(owner));
      return { connections: 20, status: 429, requests, besides };
    });
  });

  /**
   * No request of other callers is refused, with or without the flood, and they take no more than twice as long,
   * by the median over the rounds.
   *
   * @param prepare makes a flood for a new owner
   */
  async function withstand(name: string, prepare: (owner: string) => Promise<Flood>): Promise<void> {
    const alone: Times[] = [];
    const flooded: Times[] = [];
    let slower: Kind[] = [...KINDS];
    for (let round = 1; round <= MAX_ROUNDS && slower.length > 0; round++) {
      await compare(name, await prepare(`${name} ${round}`), alone, flooded);
      if (round >= ROUNDS) slower = slowerThan(alone, flooded, `${name}, ${round} rounds`);
    }
    expect(slower).toEqual([]);
  }

  async function compare(
    name: string,
    { connections, status, requests, besides }: Flood,
    alone: Times[],
    flooded: Times[],
  ) {
    // A checkpoint first: rows stored for the flood should not be written to disk during the measurement
    await sql.query('VACUUM ANALYZE api_keys');
    await sql.query('CHECKPOINT');
    alone.push(await measure());
    const answer = besides?.();
    const stop = await startFlood(service.client.url, connections, requests);
    flooded.push(await measure());
    const statuses = await stop();
    process.stdout.write(`${name}: answered ${JSON.stringify(statuses)}\n`);
    expect(statuses[status]).toBeGreaterThan(0);
    if (answer) expect((await answer).status).toBe(200);
  }

  /** Sends the requests of other callers, of which none may be refused. @returns how long each call took, in ms */
  async function measure(): Promise<Times> {
    const times = noTimes();
    const cold = await Promise.all(
      range(COLD).map((index) => issueKey(service.client, `other-${index % OTHERS}`, powerlessBody)),
    );
    const timed = async (kind: Kind, call: () => Promise<Answer>) => {
      const began = performance.now();
      const answer = await call();
      times[kind].push(performance.now() - began);
      if (kind === 'create') issued(answer);
      else expect([answer.status, answer.body.data?.code]).toEqual([200, 'VALID']);
    };
    const works: (() => Promise<void>)[] = [
      ...range(VERIFIED).map((i) => () => timed('verify', () => verify(service.client, known[i % 10] as IssuedKey))),
      ...range(USED).map((i) => () => timed('use', () => verify(service.client, limited[i % 10] as IssuedKey))),
      ...cold.map((key) => () => timed('cold', () => verify(service.client, key))),
      ...range(CREATED).map((i) => () => {
        const owner = sessionOf(`other-${(i + COLD) % OTHERS}`);
        return timed('create', () => service.client.post('/api/apiKeys', owner, powerlessBody));
      }),
    ];
    // Interleaved, so that each kind is spread over the whole time
    const spread = works.map((work, index) => ({ work, at: (index * 389) % works.length }));
    const ordered = spread.toSorted((one, other) => one.at - other.at).map(({ work }) => work);
    await runConcurrently(CALLERS, ordered, (work) => work());
    return times;
  }

  async function adminKeys(owner: string, count: number): Promise<IssuedKey[]> {
    const keys: IssuedKey[] = [];
    for (const _ of range(count)) keys.push(await issueKey(service.client, owner));
    return keys;
  }

  async function revokedKey(owner: string): Promise<IssuedKey> {
    const key = await issueKey(service.client, owner, powerlessBody);
    expect((await service.client.delete(`/api/apiKeys/${key.id}`, sessionOf(owner))).status).toBe(200);
    return key;
  }

  function reportOf(key: IssuedKey): FloodRequest {
    return { method: 'POST', path: '/api/apiKeys/report-leak', body: JSON.stringify(pairOf(key)) };
  }
});

function noTimes(): Times {
  return { verify: [], use: [], cold: [], create: [] };
}

/** The kinds of requests that took too many times as long; prints all. */
function slowerThan(alone: Times[], flooded: Times[], name: string): Kind[] {
  const usual = (rounds: Times[], kind: Kind) => median(rounds.map((times) => p99(times[kind])));
  const factors = KINDS.map((kind) => ({ kind, factor: usual(flooded, kind) / usual(alone, kind) }));
  const described = factors.map(({ kind, factor }) => {
    return `${kind} ${usual(alone, kind).toFixed(1)} -> ${usual(flooded, kind).toFixed(1)} (${factor.toFixed(1)})`;
  });
  process.stdout.write(`${name}: p99 in ms of others: ${described.join(', ')}\n`);
  return factors.filter(({ factor }) => factor > MAX_TIMES).map(({ kind }) => kind);
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

function p99(times: number[]): number {
  return times.toSorted((one, other) => one - other)[Math.ceil(times.length * 0.99) - 1] as number;
}
