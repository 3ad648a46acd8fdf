import { ValidationError } from '../http/errors/api-error.js';
import { type KeyLimits, NO_LIMITS } from '../principals/key-limits.js';
import { ApiKey, limitColumns, NEW_KEY } from './api-key.entity.js';
import { applyPatch, assertFuture, assertUsableWindow, diff, type KeyPatch, withoutUnchanged } from './key-patch.js';

const DAY = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY);

/** A key with a name, a scope, metadata and some limits. */
function keyWith(limits: Partial<KeyLimits> = {}, columns: Partial<ApiKey> = {}): ApiKey {
  const own = {
    name: 'old',
    scopes: { admin: false, data: { pin_list: true, nft_list: false } },
    metadata: { a: '1' },
  };
  return Object.assign(new ApiKey(), NEW_KEY, own, limitColumns({ ...NO_LIMITS, ...limits }), columns);
}

function problemsOf(act: () => unknown): [path: string, message: string][] {
  try {
    act();
    return [];
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.details?.map(({ path, message }) => [path, message]) ?? [];
  }
}

describe('withoutUnchanged()', () => {
  it('leaves nothing of a patch that repeats the key', () => {
    const key = keyWith({ expiresAt: inDays(1), allowedCidrs: ['10.0.0.0/8'] });
    const { name, scopes, metadata, enabled, limits } = key;
    expect(withoutUnchanged(key, { name, scopes, metadata, enabled, limits })).toEqual({});
    expect(withoutUnchanged(key, { limits: {} })).toEqual({});
  });

  it('ignores the order of properties', () => {
    const scopes = { data: { nft_list: false, pin_list: true }, admin: false };
    expect(withoutUnchanged(keyWith(), { scopes })).toEqual({});
  });

  it('leaves the values that differ', () => {
    const patch: KeyPatch = { name: 'new', enabled: true, limits: { maxUses: 5, expiresAt: null } };
    expect(withoutUnchanged(keyWith(), patch)).toEqual({ name: 'new', limits: { maxUses: 5 } });
    expect(withoutUnchanged(keyWith({ maxUses: 5 }), { limits: { maxUses: null } })).toEqual({
      limits: { maxUses: null },
    });
  });
});

describe('assertFuture()', () => {
  it('names each date that has passed', () => {
    const past = { notBefore: inDays(-1), expiresAt: inDays(-1) };
    expect(problemsOf(() => assertFuture(past))).toEqual([
      ['limits.not_before', 'must not be in the past'],
      ['limits.expires_at', 'must not be in the past'],
    ]);
  });

  it.each([[undefined], [{}], [{ notBefore: null, expiresAt: null }], [{ expiresAt: inDays(1) }]])(
    'accepts %p',
    (limits) => {
      expect(problemsOf(() => assertFuture(limits))).toEqual([]);
    },
  );
});

describe('assertUsableWindow()', () => {
  const [sooner, later] = [inDays(1), inDays(2)];

  it.each<[string, Partial<KeyLimits>, string]>([
    ['both dates', { notBefore: later, expiresAt: sooner }, 'limits.expires_at'],
    ['the expiry', { expiresAt: sooner }, 'limits.expires_at'],
    ['the beginning', { notBefore: later }, 'limits.not_before'],
  ])('names a date that was given, of %s', (_, given, path) => {
    expect(problemsOf(() => assertUsableWindow({ notBefore: later, expiresAt: sooner }, given))).toEqual([
      [path, expect.stringContaining('no time to use the key')],
    ]);
  });

  it('refuses an empty window, and accepts one of a millisecond', () => {
    const after = new Date(sooner.getTime() + 1);
    const problems = (expiresAt: Date) => problemsOf(() => assertUsableWindow({ notBefore: sooner, expiresAt }, {}));
    expect([problems(sooner).length, problems(after).length]).toEqual([1, 0]);
  });
});

describe('applyPatch()', () => {
  it('writes no limit if none is given', () => {
    expect(applyPatch(keyWith({ maxUses: 5 }), { name: 'new' })).toMatchObject({
      limits: { maxUses: 5 },
      columns: { name: 'new' },
    });
    expect(Object.keys(applyPatch(keyWith(), { name: 'new' }).columns)).toEqual(['name']);
  });

  it('merges the given limits into those of the key', () => {
    const { limits, columns } = applyPatch(keyWith({ maxUses: 5 }), {
      limits: { rateLimit: { requests: 2, windowSeconds: 60 } },
    });
    expect(limits).toMatchObject({ maxUses: 5, rateLimit: { requests: 2, windowSeconds: 60 } });
    expect(columns).toMatchObject({ maxUses: 5, rateLimitRequests: 2, rateLimitWindowSeconds: 60 });
  });

  it('cuts the overlap of the previous secret at an earlier expiry, and does not prolong it', () => {
    const key = keyWith({}, { previousSecretExpiresAt: inDays(2) });
    const [sooner, later] = [inDays(1), inDays(3)];
    expect(applyPatch(key, { limits: { expiresAt: sooner } }).columns.previousSecretExpiresAt).toEqual(sooner);
    expect(applyPatch(key, { limits: { expiresAt: later } }).columns).not.toHaveProperty('previousSecretExpiresAt');
  });

  it('refuses a date that has passed, and a window that is empty', () => {
    expect(problemsOf(() => applyPatch(keyWith(), { limits: { expiresAt: inDays(-1) } }))).toHaveLength(1);
    const pending = keyWith({ notBefore: inDays(2) });
    expect(problemsOf(() => applyPatch(pending, { limits: { expiresAt: inDays(1) } }))).toHaveLength(1);
  });
});

describe('diff()', () => {
  it('has the values before and after, of metadata only that it changed', () => {
    const key = keyWith();
    const patched = applyPatch(key, { name: 'new', metadata: { b: 'private' }, enabled: true, limits: { maxUses: 5 } });
    const changes = diff(key, patched);
    expect(changes).toEqual({
      name: { from: 'old', to: 'new' },
      metadata: 'changed',
      limits: { from: expect.objectContaining({ max_uses: null }), to: expect.objectContaining({ max_uses: 5 }) },
    });
    expect(JSON.stringify(changes)).not.toContain('private');
  });
});
