import { cachedKeyOf } from '../../test/support/cached-keys.js';
import type { ApiKey } from '../api-keys/api-key.entity.js';
import { accessRefusal, REFUSALS, type Refusal } from '@w3ipfs/api-keys-guard/decision';
import { NO_CHARGE, type QuotaDecision } from '../limits/quota.js';
import { refused, toVerdict } from './verdict.js';

const NOW = 1_800_000_000_000;
const at = (offsetMs: number) => new Date(NOW + offsetMs);
const permitted = { scopes: { admin: false, data: { pin_list: true } }, allowedCidrs: ['192.0.2.0/24'] };

/** Asks for what `permitted` permits. */
const requirements = { scopes: ['data.pin_list'], ip: '192.0.2.7' } as const;

const refusal = (columns: Partial<ApiKey>, required: Partial<{ ip: string | undefined }> = {}) =>
  accessRefusal(cachedKeyOf({ ...permitted, ...columns }), { ...requirements, ...required }, NOW);

it.each<[string, Partial<ApiKey>, Refusal | null]>([
  ['a key without limits', { allowedCidrs: null }, null],
  ['a revoked key', { revokedAt: at(-1) }, 'REVOKED'],
  ['a disabled key', { enabled: false }, 'DISABLED'],
  ['a key one millisecond before it becomes valid', { notBefore: at(1) }, 'NOT_YET_VALID'],
  ['a key that becomes valid now', { notBefore: at(0) }, null],
  ['a key one millisecond before it expires', { expiresAt: at(1) }, null],
  ['a key that expires now', { expiresAt: at(0) }, 'EXPIRED'],
  ['a key of another network', { allowedCidrs: ['198.51.100.0/24', '2001:db8::/32'] }, 'IP_NOT_ALLOWED'],
  ['a key of one of several networks', { allowedCidrs: ['198.51.100.0/24', '192.0.2.7/32'] }, null],
  ['a key without the scope', { scopes: { admin: false, data: { nft_list: true } } }, 'INSUFFICIENT_SCOPE'],
])('decides on %s', (_, columns, expected) => {
  expect(refusal(columns)).toBe(expected);
});

it('refuses an unknown address only if the key is limited to networks', () => {
  expect(refusal({}, { ip: undefined })).toBe('IP_NOT_ALLOWED');
  expect(refusal({ allowedCidrs: null }, { ip: undefined })).toBeNull();
});

it('requires all of the scopes', () => {
  const key = cachedKeyOf({ scopes: { admin: false, data: { pin_list: true } } });
  const both = { scopes: ['data.pin_list', 'pinning.unpin'], ip: undefined } as const;
  expect(accessRefusal(key, both, NOW)).toBe('INSUFFICIENT_SCOPE');
  expect(accessRefusal(key, { scopes: [], ip: undefined }, NOW)).toBeNull();
});

it('checks in the documented order: the first failed check is the refusal', () => {
  const failing: [Refusal, Partial<ApiKey>][] = [
    ['REVOKED', { revokedAt: at(-1) }],
    ['DISABLED', { enabled: false }],
    ['NOT_YET_VALID', { notBefore: at(1) }],
    ['EXPIRED', { expiresAt: at(-1) }],
    ['IP_NOT_ALLOWED', { allowedCidrs: ['198.51.100.0/24'] }],
    ['INSUFFICIENT_SCOPE', { scopes: { admin: false } }],
  ];
  const codes = failing.map(([code]) => code);
  expect(codes).toEqual(REFUSALS.filter((code) => codes.includes(code)));
  for (const [index, [code]] of failing.entries()) {
    const columns = Object.assign({}, ...failing.slice(index).map(([, one]) => one)) as Partial<ApiKey>;
    expect(refusal(columns)).toBe(code);
  }
});

it.each(['RATE_LIMITED', 'USAGE_EXCEEDED', 'REVOKED'] as const)(
  'turns a charge refused with %s into a refusal',
  (code) => {
    const key = cachedKeyOf();
    const charge: QuotaDecision = { ...NO_CHARGE, refusal: code };
    expect(toVerdict(key, charge)).toEqual({ valid: false, code, key, charge });
  },
);

it('turns an accepted charge into a valid verdict', () => {
  const key = cachedKeyOf();
  expect(toVerdict(key, NO_CHARGE)).toEqual({ valid: true, code: 'VALID', key, charge: NO_CHARGE });
});

it('names no key in a refusal of an unknown pair', () => {
  expect(refused('INVALID_CREDENTIALS')).toEqual({
    valid: false,
    code: 'INVALID_CREDENTIALS',
    key: undefined,
    charge: undefined,
  });
});
