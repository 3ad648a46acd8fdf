import { readChanges, readGrant, UnexpectedAnswerError } from './wire.js';

const CHANGES = { epoch: 'e', position: '18446744073709551615', age_ms: 3, held_ms: 250, bound_ms: 1_000, changed: [] };
const GRANT = {
  cacheable: true,
  position: '7',
  epoch: 'e',
  key_id: 'id',
  owner_id: 'owner',
  name: 'a key',
  scopes: ['data.pin_list'],
  allowed_cidrs: null,
  expires_in_ms: null,
  expires_at: null,
  which: 'current',
  overlap_ends_in_ms: null,
  forget_on: ['h'],
};

it('reads changes', () => {
  const changed = [
    { h: 'a', at: '5' },
    { h: 'b', at: null },
  ];
  expect(readChanges({ ...CHANGES, changed })).toEqual({
    epoch: 'e',
    position: 18_446_744_073_709_551_615n,
    ageMs: 3,
    heldMs: 250,
    boundMs: 1_000,
    changed: [
      { keyHash: 'a', at: 5n },
      { keyHash: 'b', at: null },
    ],
  });
});

it.each<[string, unknown]>([
  ['no data', undefined],
  ['a number for the position', { ...CHANGES, position: 7 }],
  ['a negative position', { ...CHANGES, position: '-7' }],
  ['no epoch', { ...CHANGES, epoch: undefined }],
  ['no age', { ...CHANGES, age_ms: undefined }],
  ['a negative age', { ...CHANGES, age_ms: -1 }],
  ['no time for which it was held', { ...CHANGES, held_ms: undefined }],
  ['no bound', { ...CHANGES, bound_ms: undefined }],
  ['a bound of nothing', { ...CHANGES, bound_ms: 0 }],
  ['a bound of a day', { ...CHANGES, bound_ms: 86_400_000 }],
  ['no list of changes', { ...CHANGES, changed: undefined }],
  ['a change of no key', { ...CHANGES, changed: [{ at: '5' }] }],
  ['a change without a date that is null', { ...CHANGES, changed: [{ h: 'a' }] }],
  ['a change that is no object', { ...CHANGES, changed: [null] }],
])('rejects changes with %s', (_, data) => {
  expect(() => readChanges(data)).toThrow(UnexpectedAnswerError);
});

it.each([undefined, 7, 'a reason of a later release'])(
  'reads a refused grant because of %j as one for another reason',
  (because) => {
    expect(readGrant({ cacheable: false, because })).toBe('other');
  },
);

it.each<[string, object]>([
  ['no owner', { owner_id: undefined }],
  ['no name', { name: null }],
  ['another kind of secret', { which: 'next' }],
  ['a number for a date', { expires_at: 7 }],
])('rejects a grant with %s', (_, change) => {
  expect(() => readGrant({ ...GRANT, ...change })).toThrow(UnexpectedAnswerError);
});

it('reads a grant, with or without further keys that end it', () => {
  expect(readGrant(GRANT)).toMatchObject({ position: 7n, keyId: 'id', forgetOn: ['h'] });
  expect(readGrant({ ...GRANT, forget_on: undefined })).toMatchObject({ forgetOn: [] });
});

it('reads why there is none', () => {
  expect(readGrant({ cacheable: false, because: 'quota' })).toBe('quota');
});

it.each(['position', 'epoch', 'key_id', 'scopes', 'allowed_cidrs', 'expires_in_ms', 'overlap_ends_in_ms'])(
  'rejects a grant without %s: a restriction that is missing must not be taken for none',
  (name) => {
    expect(() => readGrant({ ...GRANT, [name]: undefined })).toThrow(UnexpectedAnswerError);
  },
);
