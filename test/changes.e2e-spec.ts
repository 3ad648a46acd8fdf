import { setTimeout as sleep } from 'node:timers/promises';
import { runConcurrently, range } from './support/at-once.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import {
  bodyWith,
  documentedBody,
  issued,
  issueKey,
  type IssuedKey,
  pairHeaders,
  powerlessBody,
} from './support/keys.js';
import { type ServiceProcess, startProcess, sharedVariables } from './support/process.js';
import { sessionOf } from './support/sessions.js';
import { verify } from './support/verification.js';

const BOUND_MS = 1_000;
const need = { scope: 'pinning.unpin', ip: '192.0.2.1' };

let database: TestDatabase;
let services: ServiceProcess[];
beforeAll(async () => {
  database = await createTestDatabase();
  const variables = {
    ...sharedVariables,
    ...database.variables,
  };
  // The embedded database allows only one process
  services = await Promise.all(range(onServer ? 2 : 1).map(() => startProcess(variables)));
});
afterAll(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await database.drop();
});

const pathOf = ({ id }: IssuedKey) => `/api/apiKeys/${id}`;
const codeOf = async ({ client }: ServiceProcess, key: IssuedKey) => (await verify(client, key, need)).body.data.code;

/** A change that one process makes, with every process's verdict on a key before and after. */
interface Change {
  before: string;
  after: string;
  body?: object;
  /** Makes it and returns the status. */
  make: (first: ServiceProcess, key: IssuedKey) => Promise<number>;
}

const patch = (body: object) => async (first: ServiceProcess, key: IssuedKey) =>
  (await first.client.call('PATCH', pathOf(key), { headers: sessionOf('ann'), body })).status;
const unpins = bodyWith(['pinning.unpin']);

const CHANGES: Record<string, Change> = {
  'removed scopes': {
    before: 'VALID',
    after: 'INSUFFICIENT_SCOPE',
    make: patch({ scopes: powerlessBody.scopes }),
  },
  'scopes that are given': { before: 'INSUFFICIENT_SCOPE', after: 'VALID', body: powerlessBody, make: patch(unpins) },
  'a network limit': {
    before: 'VALID',
    after: 'IP_NOT_ALLOWED',
    make: patch({ limits: { allowed_cidrs: ['10.0.0.0/8'] } }),
  },
  'a time to begin': {
    before: 'VALID',
    after: 'NOT_YET_VALID',
    make: patch({ limits: { not_before: new Date(Date.now() + 3_600_000).toISOString() } }),
  },
  'a removed limit': {
    before: 'IP_NOT_ALLOWED',
    after: 'VALID',
    body: { ...unpins, limits: { allowed_cidrs: ['10.0.0.0/8'] } },
    make: patch({ limits: { allowed_cidrs: null } }),
  },
  'that a key is disabled': { before: 'VALID', after: 'DISABLED', make: patch({ enabled: false }) },
  'a rotation without an overlap': {
    before: 'VALID',
    after: 'INVALID_CREDENTIALS',
    make: async (first, key) => (await first.client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), {})).status,
  },
  'a deletion': {
    before: 'VALID',
    after: 'REVOKED',
    make: async (first, key) => (await first.client.delete(pathOf(key), sessionOf('ann'))).status,
  },
};

(onServer ? describe : describe.skip)('another process applies within the bound', () => {
  const KEYS = 40;
  const CALLERS = 5;

  it.each(Object.entries(CHANGES))('%s', async (name, { before, after, body = unpins, make }) => {
    const [first, other] = services as [ServiceProcess, ServiceProcess];
    const delays: number[] = [];
    await runConcurrently(CALLERS, range(KEYS), async () => {
      const key = await issueKey(first.client, 'ann', body);
      for (const service of [first, other]) expect(await codeOf(service, key)).toBe(before);
      expect(await make(first, key)).toBe(200);
      const madeAt = performance.now();
      expect(await codeOf(first, key)).toBe(after);
      delays.push((await lastSeen(other, key, before, after)) - madeAt);
    });
    expectWithin(name, delays);
  });

  it('the deletion of its issuer three levels up', async () => {
    const [first, other] = services as [ServiceProcess, ServiceProcess];
    const delays: number[] = [];
    await runConcurrently(CALLERS, range(KEYS / 2), async () => {
      const root = await issueKey(first.client, 'ann', documentedBody);
      let parent = root;
      for (const _ of range(2)) parent = await child(first, parent, documentedBody);
      const leaf = await child(first, parent, unpins);
      for (const service of [first, other]) expect(await codeOf(service, leaf)).toBe('VALID');
      const answer = await first.client.delete(`${pathOf(root)}?cascade=true`, sessionOf('ann'));
      const madeAt = performance.now();
      expect(answer.body.data.revoked).toBe(4);
      expect(await codeOf(first, leaf)).toBe('REVOKED');
      delays.push((await lastSeen(other, leaf, 'VALID', 'REVOKED')) - madeAt);
    });
    expectWithin('a cascade', delays);
  });

  async function child({ client }: ServiceProcess, parent: IssuedKey, body: object): Promise<IssuedKey> {
    return issued(await client.post('/api/apiKeys', pairHeaders(parent), body));
  }

  /** Asks until the verdict is the new one. @returns when the last call began that got the old one */
  async function lastSeen(service: ServiceProcess, key: IssuedKey, before: string, after: string): Promise<number> {
    for (let last = Number.NEGATIVE_INFINITY; ;) {
      const began = performance.now();
      const code = await codeOf(service, key);
      if (code === after) return last;
      expect(code).toBe(before);
      last = began;
      // Without a pause, the callers would starve the process of the time to read changes
      await sleep(2);
    }
  }

  function expectWithin(name: string, delays: number[]): void {
    const most = Math.max(0, ...delays);
    process.stdout.write(`${name}: ${delays.length} times, seen elsewhere ${most.toFixed(1)} ms later at most\n`);
    expect(most).toBeLessThan(BOUND_MS);
  }
});

it('refuses none of 10,000 verifications while the client switches to a new secret', async () => {
  const VERIFICATIONS = 10_000;
  const key = await issueKey((services[0] as ServiceProcess).client, 'ann', unpins);
  let current = key;
  let switching: Promise<void> | undefined;
  const codes = new Map<string, number>();
  const secrets = new Map<string, number>();
  const rotate = async (overlap: number) => {
    const { client } = services[0] as ServiceProcess;
    current = issued(await client.post(`${pathOf(key)}/rotate`, sessionOf('ann'), { overlap_seconds: overlap }));
  };
  await runConcurrently(16, range(VERIFICATIONS), async (index) => {
    if (index === VERIFICATIONS / 2) switching = rotate(60);
    const used = current;
    const code = await codeOf(services[index % services.length] as ServiceProcess, used);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    secrets.set(used.secret_key, (secrets.get(used.secret_key) ?? 0) + 1);
  });
  await switching;
  expect(Object.fromEntries(codes)).toEqual({ VALID: VERIFICATIONS });
  expect([...secrets.keys()]).toEqual([key.secret_key, current.secret_key]);
  expect(Math.min(...secrets.values())).toBeGreaterThan(VERIFICATIONS / 10);
});
