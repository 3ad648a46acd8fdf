import fc from 'fast-check';
import { SCOPES, type Scope } from '../src/principals/scopes.js';
import { TestClock } from './support/clock.js';
import { bodyWith, issued, type IssuedKey } from './support/keys.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

const RUNS = 100;
/** All but `DISABLED`, which no key can be made yet. */
const CODES = [
  'EXPIRED',
  'INSUFFICIENT_SCOPE',
  'INVALID_CREDENTIALS',
  'IP_NOT_ALLOWED',
  'NOT_YET_VALID',
  'RATE_LIMITED',
  'REVOKED',
  'USAGE_EXCEEDED',
  'VALID',
];
const clock = new TestClock(Date.now());

const service = useService(serviceVariables, clock);

/** Networks, with an address inside and one outside of each, worked out by hand. */
const NETWORKS = {
  '10.0.0.0/8': ['10.255.0.1', '11.0.0.0'],
  '192.0.2.128/25': ['192.0.2.128', '192.0.2.127'],
  '198.51.100.7/32': ['198.51.100.7', '198.51.100.6'],
  '2001:db8::/33': ['2001:db8:7fff::1', '2001:db8:8000::'],
  '::1/128': ['::1', '::2'],
} as const;
type NetworkText = keyof typeof NETWORKS;
const networkTexts = Object.keys(NETWORKS) as NetworkText[];
const FOREIGN = '203.0.113.9';

interface KeyPlan {
  scopes: Scope[];
  /** In milliseconds from when it is issued. */
  beginsIn: number | null;
  endsIn: number | null;
  maxUses: number | null;
  rate: { requests: number; windowSeconds: number } | null;
  networks: NetworkText[] | null;
}

interface Call {
  kind: 'verify' | 'batch' | 'revoke';
  /** In milliseconds, since the call before. */
  wait: number;
  /** Which of the three keys. */
  key: number;
  wrongSecret: boolean;
  scopes: Scope[];
  ip: string | undefined;
  costs: number[];
}

/** Chosen so that most calls reach the charge. */
const rarely = <T, N>(value: fc.Arbitrary<T>, otherwise: N): fc.Arbitrary<T | N> =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: 6, arbitrary: fc.constant(otherwise) });
const half = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 });

const plans: fc.Arbitrary<KeyPlan> = fc.record({
  scopes: fc.oneof(fc.subarray<Scope>([...SCOPES]), fc.constant<Scope[]>([...SCOPES])),
  beginsIn: rarely(fc.integer({ min: 10_000, max: 30_000 }), null),
  endsIn: rarely(fc.integer({ min: 31_000, max: 100_000 }), null),
  maxUses: half(fc.integer({ min: 1, max: 20 })),
  rate: half(fc.record({ requests: fc.integer({ min: 1, max: 12 }), windowSeconds: fc.constantFrom(1, 7, 60) })),
  networks: half(fc.subarray(networkTexts, { minLength: 1 })),
});

const calls: fc.Arbitrary<Call> = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('verify' as const) },
    { weight: 6, arbitrary: fc.constant('batch' as const) },
    { weight: 1, arbitrary: fc.constant('revoke' as const) },
  ),
  wait: fc.oneof(fc.constant(0), fc.nat(50), fc.nat(1_500), fc.constantFrom(999, 1_000, 1_010, 7_000, 7_070, 60_000)),
  key: fc.nat(2),
  wrongSecret: rarely(fc.constant(true), false),
  scopes: rarely(fc.subarray<Scope>([...SCOPES], { minLength: 1 }), []),
  ip: rarely(fc.constantFrom(undefined, FOREIGN, ...Object.values(NETWORKS).flat()), '10.255.0.1'),
  costs: fc.array(fc.oneof(fc.constant(1), fc.nat(8)), { minLength: 1, maxLength: 6 }),
});

/** A model of a key: decides by a plain log of its grants. */
class Model {
  private isRevoked = false;
  private uses = 0;
  private grants: { at: number; cost: number }[] = [];

  constructor(
    private readonly plan: KeyPlan,
    private readonly issuedAt: number,
  ) {}

  revoke(): void {
    this.isRevoked = true;
  }

  /** The correct verdicts now: two if the slack of the rate limit, a hundredth of its window, decides. */
  verdicts(call: Pick<Call, 'wrongSecret' | 'scopes' | 'ip'>, cost: number, now: number): string[] {
    const { scopes, beginsIn, endsIn, networks } = this.plan;
    if (call.wrongSecret) return ['INVALID_CREDENTIALS'];
    if (this.isRevoked) return ['REVOKED'];
    if (beginsIn !== null && now < this.issuedAt + beginsIn) return ['NOT_YET_VALID'];
    if (endsIn !== null && now >= this.issuedAt + endsIn) return ['EXPIRED'];
    if (networks && !networks.some((network) => NETWORKS[network][0] === call.ip)) return ['IP_NOT_ALLOWED'];
    if (!scopes.includes('admin') && call.scopes.some((scope) => !scopes.includes(scope)))
      return ['INSUFFICIENT_SCOPE'];
    const charged = this.isSpentBy(cost) ? 'USAGE_EXCEEDED' : 'VALID';
    const certain = this.isOverRate(cost, now, 1);
    return certain ? ['RATE_LIMITED'] : this.isOverRate(cost, now, 1.01) ? ['RATE_LIMITED', charged] : [charged];
  }

  grant(cost: number, now: number): void {
    this.uses += cost;
    this.grants.push({ at: now, cost });
  }

  get remainingUses(): number | null {
    return this.plan.maxUses === null ? null : this.plan.maxUses - this.uses;
  }

  private isSpentBy(cost: number): boolean {
    return this.plan.maxUses !== null && cost > 0 && this.uses + cost > this.plan.maxUses;
  }

  private isOverRate(cost: number, now: number, windows: number): boolean {
    const { rate } = this.plan;
    if (!rate || cost === 0) return false;
    const since = now - rate.windowSeconds * 1_000 * windows;
    const counted = this.grants.filter(({ at }) => at > since).reduce((sum, grant) => sum + grant.cost, 0);
    return counted + cost > rate.requests;
  }
}

interface Subject {
  key: IssuedKey;
  model: Model;
}

it('agree with a plain model of the keys, for any limits, callers and times', async () => {
  const seen = new Map<string, number>();
  const three = fc.array(plans, { minLength: 3, maxLength: 3 });
  const sequences = fc.array(calls, { maxLength: 30, size: 'max' });
  const property = fc.asyncProperty(three, sequences, async (keyPlans, sequence) => {
    const subjects = await Promise.all(keyPlans.map(issue));
    for (const call of sequence) {
      clock.time += call.wait;
      for (const code of await expectRight(call, subjects)) seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    for (const subject of subjects) await expectCounted(subject);
  });
  await fc.assert(property, { numRuns: RUNS });
  process.stdout.write(`verdicts as the model has them: ${JSON.stringify(Object.fromEntries(seen))}\n`);
  expect([...seen.keys()].toSorted()).toEqual(CODES);
});

async function issue(plan: KeyPlan): Promise<Subject> {
  // Keys are issued by the host's time, and used by the test's clock clock
  const at = clock.time;
  const time = (passed: number | null) => (passed === null ? null : new Date(at + passed).toISOString());
  const limits = {
    not_before: time(plan.beginsIn),
    expires_at: time(plan.endsIn),
    max_uses: plan.maxUses,
    rate_limit: plan.rate && { requests: plan.rate.requests, window_seconds: plan.rate.windowSeconds },
    allowed_cidrs: plan.networks,
  };
  const key = issued(await service.client.post('/api/apiKeys', sessionOf('ann'), bodyWith(plan.scopes, { limits })));
  return { key, model: new Model(plan, at) };
}

/** Makes the call and compares it with the model. @returns its codes */
async function expectRight(call: Call, subjects: Subject[]): Promise<string[]> {
  const subject = subjects[call.key] as Subject;
  if (call.kind === 'revoke') {
    await service.client.delete(`/api/apiKeys/${subject.key.id}`, sessionOf('ann'));
    subject.model.revoke();
    return [];
  }
  // A batch repeats the key, with others between
  const costs = call.kind === 'batch' ? call.costs : call.costs.slice(0, 1);
  const asked = costs.map((_, i) => subjects[(call.key + (i % 3 === 1 ? 1 : 0)) % 3] as Subject);
  const verdicts = await verdictsOn(call, asked);
  for (const [i, { model }] of asked.entries()) {
    const [cost, { code, remaining_uses }] = [costs[i] as number, verdicts[i] as VerdictBody];
    expect(model.verdicts(call, cost, clock.time)).toContain(code);
    if (code !== 'VALID') continue;
    model.grant(cost, clock.time);
    expect(remaining_uses).toBe(model.remainingUses);
  }
  return verdicts.map(({ code }) => code);
}

interface VerdictBody {
  code: string;
  remaining_uses?: number | null;
}

async function verdictsOn({ kind, wrongSecret, scopes, ip, costs }: Call, asked: Subject[]): Promise<VerdictBody[]> {
  const requests = asked.map(({ key }, i) => {
    const secret_key = wrongSecret ? `w3s_${'a'.repeat(40)}` : key.secret_key;
    const need = scopes.length > 0 ? { scope: scopes } : {};
    return Object.assign(need, { api_key: key.api_key, secret_key, ip, cost: costs[i] });
  });
  const path = kind === 'batch' ? '/api/apiKeys/verify/batch' : '/api/apiKeys/verify';
  const { body } = await service.client.post(path, serviceHeaders, kind === 'batch' ? { requests } : requests[0]);
  return kind === 'batch' ? body.data.verdicts : [body.data];
}

/** Asserts that exactly the grants of a limited key are in the database. */
async function expectCounted({ key, model }: Subject): Promise<void> {
  if (model.remainingUses === null) return;
  const { uses, limits } = (await service.client.get(`/api/apiKeys/${key.id}`, sessionOf('ann'))).body.data;
  expect(limits.max_uses - uses).toBe(model.remainingUses);
}
