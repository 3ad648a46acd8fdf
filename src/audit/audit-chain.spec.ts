import { type AuditEntry, chainHash } from './audit-chain.js';

const event: AuditEntry = {
  ownerId: 'ann',
  seq: '2',
  at: new Date('2026-11-24T03:41:07.112Z'),
  actor: 'session',
  action: 'key.updated',
  apiKeyId: '01a20b9d-c4d9-7123-b878-6eb9911deb3f',
  refusal: null,
  ip: '203.0.113.7',
  requestId: 'request-7',
  changes: { name: { from: 'test-api-key', to: 'gallery' } },
};
const previous = Buffer.alloc(32, 7);
const hashOf = (more: Partial<AuditEntry> = {}) => chainHash(previous, { ...event, ...more }).toString('hex');

it('stays the same for events that are already stored', () => {
  expect(hashOf()).toBe('09aa21dfc578cd1e7384048d214ac602c39f8ec6b078c545eaf606ff4b867ab0');
});

it.each<[keyof AuditEntry, Partial<AuditEntry>]>([
  ['ownerId', { ownerId: 'bob' }],
  ['seq', { seq: '3' }],
  ['at', { at: new Date('2026-11-24T03:41:07.113Z') }],
  ['actor', { actor: 'operator' }],
  ['action', { action: 'key.revoked' }],
  ['apiKeyId', { apiKeyId: null }],
  ['refusal', { refusal: 'key_not_found' }],
  ['ip', { ip: null }],
  ['requestId', { requestId: null }],
  ['changes', { changes: {} }],
])('depends on %s', (_, more) => {
  expect(hashOf(more)).not.toBe(hashOf());
});

it('depends on the previous hash', () => {
  expect(chainHash(null, event).toString('hex')).not.toBe(hashOf());
});

it('does not depend on the order of properties, but on the order of lists', () => {
  const changes = { limits: { a: 1, b: [1, 2] }, times: 2 };
  expect(hashOf({ changes: { times: 2, limits: { b: [1, 2], a: 1 } } })).toBe(hashOf({ changes }));
  expect(hashOf({ changes: { ...changes, limits: { a: 1, b: [2, 1] } } })).not.toBe(hashOf({ changes }));
});

it('hashes rows that were altered to values the service never writes', () => {
  expect(hashOf({ at: new Date(Number.NaN) })).toMatch(/^[\da-f]{64}$/);
  expect(hashOf({ changes: { times: Number.POSITIVE_INFINITY } })).not.toBe(hashOf({ changes: { times: null } }));
});
