import { NO_LIMITS } from '../principals/key-limits.js';
import { KEY_STATUSES, type KeyState, statusInSql, statusOf } from './key-status.js';

const NOW = Date.UTC(2026, 10, 24);
const [before, at, after] = [-1, 0, 1].map((ms) => new Date(NOW + ms)) as [Date, Date, Date];
const usable: KeyState = { ...NO_LIMITS, revokedAt: null, enabled: true, uses: 0 };
const statusWith = (state: Partial<KeyState>) => statusOf({ ...usable, ...state }, NOW);

it.each<[string, Partial<KeyState>, string]>([
  ['nothing against it', {}, 'active'],
  ['a revocation', { revokedAt: before }, 'revoked'],
  ['enabled unset', { enabled: false }, 'disabled'],
  ['a beginning to come', { notBefore: after }, 'pending'],
  ['a beginning at this moment', { notBefore: at }, 'active'],
  ['an expiry to come', { expiresAt: after }, 'active'],
  ['an expiry at this moment', { expiresAt: at }, 'expired'],
  ['a use left', { maxUses: 2, uses: 1 }, 'active'],
  ['no use left', { maxUses: 2, uses: 2 }, 'exhausted'],
  ['more uses than a lowered limit', { maxUses: 2, uses: 3 }, 'exhausted'],
  ['uses, but no limit of them', { uses: 1_000_000 }, 'active'],
])('a key with %s has the status of it', (_, state, status) => {
  expect(statusWith(state)).toBe(status);
});

it('goes by the first reason, in the documented order', () => {
  const reasons: [Partial<KeyState>, string][] = [
    [{ revokedAt: before }, 'revoked'],
    [{ enabled: false }, 'disabled'],
    [{ notBefore: after }, 'pending'],
    [{ expiresAt: before }, 'expired'],
    [{ maxUses: 1, uses: 1 }, 'exhausted'],
  ];
  for (const [index, [, status]] of reasons.entries()) {
    expect(statusWith(Object.assign({}, ...reasons.slice(index).map(([state]) => state)) as KeyState)).toBe(status);
  }
});

it('excludes in SQL the reasons that come first, each once', () => {
  expect(statusInSql('revoked')).toBe('key.revoked_at IS NOT NULL');
  expect(statusInSql('disabled')).toBe('NOT (key.revoked_at IS NOT NULL) AND NOT key.enabled');
  const columns = (status: (typeof KEY_STATUSES)[number]) =>
    ['revoked_at', 'enabled', 'not_before', 'expires_at', 'uses'].filter((column) =>
      statusInSql(status).includes(column),
    );
  expect(KEY_STATUSES.map((status) => columns(status).length)).toEqual([5, 2, 3, 4, 5, 1]);
});
