import { ApiError } from '../http/errors/api-error.js';
import { type KeyLimits, NO_LIMITS } from '../principals/key-limits.js';
import { assertMayGrant } from './escalation.js';
import type { KeyPatch } from './key-patch.js';

const DAY = 86_400_000;
const inDays = (days: number) => new Date(1_800_000_000_000 + days * DAY);

/** Paths that a key with the limits `caller` is refused for, when it updates a key with the limits `before`. */
function refusedPaths(caller: Partial<KeyLimits>, before: Partial<KeyLimits>, update: KeyPatch): string[] {
  const was = { ...NO_LIMITS, ...before };
  try {
    assertMayGrant(update, was, { ...was, ...update.limits }, { ...NO_LIMITS, ...caller });
    return [];
  } catch (error) {
    return (error as ApiError).details?.map(({ path }) => path) ?? [];
  }
}

/** Has each limit that is inherited. */
const weak: Partial<KeyLimits> = {
  notBefore: inDays(-10),
  expiresAt: inDays(10),
  rateLimit: { requests: 10, windowSeconds: 60 },
  allowedCidrs: ['10.0.0.0/8'],
};
const [notBefore, expiresAt, rate, cidrs] = [
  'limits.not_before',
  'limits.expires_at',
  'limits.rate_limit',
  'limits.allowed_cidrs',
];

it.each<[string, Partial<KeyLimits>, KeyPatch]>([
  ['more uses of a spent key', { maxUses: 5 }, { limits: { maxUses: 6 } }],
  ['unlimited uses', { maxUses: 5 }, { limits: { maxUses: null } }],
  ['scopes', {}, { scopes: { admin: true } }],
  ['enabled', {}, { enabled: true }],
])('refuses a weaker key that gives a stronger one %s, naming each wider limit', (_, before, update) => {
  expect(refusedPaths(weak, before, update)).toEqual([notBefore, expiresAt, rate, cidrs]);
});

it.each<[string, Partial<KeyLimits>, KeyPatch, string[]]>([
  ['a later expiry', { expiresAt: inDays(-1) }, { limits: { expiresAt: inDays(9) } }, [notBefore, rate, cidrs]],
  ['an earlier beginning', { notBefore: inDays(5) }, { limits: { notBefore: inDays(1) } }, [expiresAt, rate, cidrs]],
  [
    'more networks, all within its own',
    { allowedCidrs: ['10.1.0.0/16'] },
    { limits: { allowedCidrs: ['10.1.0.0/16', '10.2.0.0/16'] } },
    [notBefore, expiresAt, rate],
  ],
  [
    'a higher rate, within its own',
    { rateLimit: { requests: 1, windowSeconds: 60 } },
    { limits: { rateLimit: { requests: 2, windowSeconds: 60 } } },
    [notBefore, expiresAt, cidrs],
  ],
  ['no expiry', { ...weak, expiresAt: inDays(-1) }, { limits: { expiresAt: null } }, [expiresAt]],
  ['no networks', { ...weak, allowedCidrs: ['10.1.0.0/16'] }, { limits: { allowedCidrs: null } }, [cidrs]],
])('refuses %s if the resulting key is wider', (_, before, update, paths) => {
  expect(refusedPaths(weak, before, update)).toEqual(paths);
});

it.each<[string, Partial<KeyLimits>, KeyPatch]>([
  ['renames a stronger key', {}, { name: 'another' }],
  ['disables a stronger key', {}, { enabled: false }],
  ['lets a stronger key expire sooner', {}, { limits: { expiresAt: inDays(1) } }],
  ['sets max_uses on a stronger key', {}, { limits: { maxUses: 5 } }],
  ['lowers the uses of a stronger key', { maxUses: 5 }, { limits: { maxUses: 4 } }],
  ['narrows the networks of a stronger key', {}, { limits: { allowedCidrs: ['10.0.0.0/8'] } }],
  ['revives a key as strong as itself', { ...weak, maxUses: 5 }, { enabled: true, limits: { maxUses: null } }],
  [
    'lets a key as strong as itself expire later',
    { ...weak, expiresAt: inDays(-1) },
    { limits: { expiresAt: inDays(10) } },
  ],
])('allows a key that %s', (_, before, update) => {
  expect(refusedPaths(weak, before, update)).toEqual([]);
});

it('refuses a limit wider than its own, even if the key had none', () => {
  expect(refusedPaths(weak, {}, { limits: { expiresAt: inDays(11), allowedCidrs: ['0.0.0.0/0'] } })).toEqual([
    expiresAt,
    cidrs,
  ]);
});

it('refuses nothing to a key without limits', () => {
  expect(refusedPaths({}, { maxUses: 5, expiresAt: inDays(-1) }, { enabled: true, limits: NO_LIMITS })).toEqual([]);
});
