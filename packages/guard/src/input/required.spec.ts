import { readRequired, readRouteScopes } from './required.js';
import type { Required } from '../types.js';

it('requires nothing, at the cost of one, unless said otherwise', () => {
  const nothing = { scopes: [], ip: undefined, cost: 1 };
  expect(readRequired(undefined)).toEqual(nothing);
  expect(readRequired({})).toEqual(nothing);
});

it('takes one scope or several', () => {
  expect(readRequired({ scope: 'pinning.unpin' }).scopes).toEqual(['pinning.unpin']);
  expect(readRequired({ scope: ['admin', 'a.b_2.c'] }).scopes).toEqual(['admin', 'a.b_2.c']);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:80', '192.0.2.1'],
  ['[2001:DB8::1]:443', '2001:db8::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
])('reads the address %s as the service does', (ip, address) => {
  expect(readRequired({ ip }).ip).toBe(address);
});

it('takes costs from 0 to 1,000,000', () => {
  expect([0, 1_000_000].map((cost) => readRequired({ cost }).cost)).toEqual([0, 1_000_000]);
});

it.each<[string, object]>([
  ['scope', { scope: '' }],
  ['scope', { scope: [] }],
  ['scope', { scope: 'Pinning.unpin' }],
  ['scope', { scope: 'pinning..unpin' }],
  ['scope', { scope: ['admin', 'a b'] }],
  ['scope', { scope: `a${'b'.repeat(1_000)}` }],
  ['scope', { scope: 7 }],
  ['scope', { scope: ['admin', 7] }],
  ['ip', { ip: 'localhost' }],
  ['ip', { ip: '' }],
  ['ip', { ip: 7 }],
  ['cost', { cost: -1 }],
  ['cost', { cost: 1.5 }],
  ['cost', { cost: 1_000_001 }],
  ['cost', { cost: NaN }],
  ['cost', { cost: '1' }],
])('throws a TypeError that names %s for %j', (name, required) => {
  expect(() => readRequired(required as Required)).toThrow(new RegExp(`^${name} must`));
  expect(() => readRequired(required as Required)).toThrow(TypeError);
});

it('validates names of scopes however many there are', () => {
  for (let i = 0; i < 2_000; i++) expect(readRequired({ scope: `a.b${i}` }).scopes).toEqual([`a.b${i}`]);
  expect(() => readRequired({ scope: 'a.' })).toThrow(TypeError);
});

it.each<[unknown]>([
  ['pinning.unpin'],
  [['pinning.unpin']],
  [{ scopes: ['pinning.unpin'] }],
  [{ Scope: 'pinning.unpin' }],
  [null],
  [7],
])('throws a TypeError for %j, which may be meant as a scope', (required) => {
  expect(() => readRequired(required as Required)).toThrow(TypeError);
});

it('reads the scopes of a route, none for any valid key', () => {
  expect(readRouteScopes([])).toEqual([]);
  expect(readRouteScopes('admin')).toEqual(['admin']);
  for (const scopes of ['', undefined, ['a b'], 7]) expect(() => readRouteScopes(scopes)).toThrow(TypeError);
});
