import fc from 'fast-check';
import { ApiError } from '../errors/api-error.js';
import { ORDINARY_BOUNDS } from './body-bounds.js';
import { parseJsonBody } from './json-body.js';

const BODY_LIMIT = ORDINARY_BOUNDS.bytes;

/** The value of a body; or the problems or the code that it is rejected with. */
function outcomeOf(text: string): unknown {
  try {
    return { value: parseJsonBody(Buffer.from(text)) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error.details?.map(({ path, message }) => `${path}: ${message}`) ?? error.code;
  }
}

const list = (length: number, element: string) => `[${Array.from({ length }, () => element).join()}]`;
const object = (length: number, name = 'p') =>
  `{${Array.from({ length }, (_, index) => `"${name}${index}":1`).join()}}`;

describe('the bounds of a body, which are inclusive', () => {
  it.each([
    ['2,000 members', object(2_000), object(2_001), ': the body must not have more than 2000 members in all'],
    [
      '2,000 members over many objects',
      `{"a":[${list(500, '{"x":1}').slice(1, -1)},${object(1_499)}]}`,
      `{"a":[${list(500, '{"x":1}').slice(1, -1)},${object(1_500)}]}`,
      ': the body must not have more than 2000 members in all',
    ],
    [
      '1,000 elements',
      `{"a":${list(1_000, '1')}}`,
      `{"a":${list(1_001, '1')}}`,
      'a: must not have more than 1000 elements',
    ],
    [
      '2,000 elements over many lists',
      `{"a":[${list(1_000, '1')},${list(997, '1')}]}`.replace('],[', '],\n ['),
      `{"a":[${list(1_000, '[]')},${list(999, '1')}]}`,
      ': the lists of the body must not have more than 2000 elements in all',
    ],
    [
      'a name of 128 characters',
      `{"${'n'.repeat(128)}":1}`,
      `{"${'n'.repeat(129)}":1}`,
      `${'n'.repeat(129)}: a name must not be longer than 128 characters`,
    ],
    [
      'a name of 128 characters of any kind',
      `{"${'\\u006e'.repeat(64)}${'é'.repeat(64)}":1}`,
      `{"${'\\u006e'.repeat(64)}${'é'.repeat(65)}":1}`,
      `${'n'.repeat(64)}${'é'.repeat(65)}: a name must not be longer than 128 characters`,
    ],
    [
      '8 levels',
      '{"a":[[[[[[[]]]]]]]}',
      '{"a":[[[[[[[[]]]]]]]]}',
      'a.0.0.0.0.0.0.0: must not be nested deeper than 8 levels',
    ],
  ])('%s', (_, reached, exceeded, message) => {
    expect(outcomeOf(reached)).toEqual({ value: JSON.parse(reached) });
    expect(outcomeOf(exceeded)).toEqual([message]);
  });
});

it('has other bounds if the route says so', () => {
  const parseWide = (members: number) => parseJsonBody(Buffer.from(object(members)), { bytes: BODY_LIMIT, members: 3 });
  expect(parseWide(3)).toEqual(JSON.parse(object(3)));
  expect(() => parseWide(4)).toThrow(
    expect.objectContaining({ details: [{ path: '', message: 'the body must not have more than 3 members in all' }] }),
  );
});

it.each([
  ['{"cost":1,"cost":2}', 'cost'],
  ['{"a":{"b":[1,{"cost":1,"\\u0063ost":1}]}}', 'a.b.1.cost'],
  ['{"a":{},"a":{}}', 'a'],
  ['{"":1,"":2}', ''],
  ['{"__proto__x":1,"__proto__x":1}', '__proto__x'],
  ['{"\\"":1,"\\u0022":2}', '"'],
])('rejects a duplicate name: %s', (text, path) => {
  expect(outcomeOf(text)).toEqual([`${path}: is given more than once`]);
});

it('stops after 100 problems, and says so', () => {
  const problems = outcomeOf(`{"a":[${list(150, '{"toString":1}').slice(1, -1)}]}`) as string[];
  expect(problems).toHaveLength(101);
  expect(problems[99]).toBe('a.99.toString: is a reserved name');
  expect(problems[100]).toBe(': and further problems');
});

const names = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('a', 'b', '\\', '"', ':', '{', 'é', 'toString'));
/** JSON texts with duplicate names, escapes and spaces, which serializers do not write. */
const { text } = fc.letrec<{ text: string; member: string; literal: string }>((tie) => ({
  literal: names.chain((name) => {
    const escaped = Array.from(name, (one) =>
      one.length > 1 ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return fc.constantFrom(JSON.stringify(name), `"${escaped.join('')}"`);
  }),
  member: fc.tuple(tie('literal'), fc.constantFrom(':', ' : ', ':\n'), tie('text')).map((parts) => parts.join('')),
  text: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(tie('literal'), fc.constantFrom('1', '-0', '1e999', '1.0', 'true', 'null')),
    fc.array(tie('member'), { maxLength: 4 }).map((members) => `{${members.join(' , ')}}`),
    fc.array(tie('text'), { maxLength: 4 }).map((elements) => `[${elements.join()}]`),
  ),
}));

/** Whether a text has duplicate or reserved names. */
function hasForbiddenNames(json: string): boolean {
  const seen = new Set<object>();
  let members = 0;
  let reserved = 0;
  JSON.parse(json, function (this: object, name: string, value: unknown) {
    if (!Array.isArray(this)) members++;
    if (!Array.isArray(this) && (name in Object.prototype || name === 'prototype')) reserved++;
    if (typeof value === 'object' && value !== null) seen.add(value);
    return value;
  });
  // The reviver also visits the root; of duplicates it visits only one
  const colons = json.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/:/g)?.length ?? 0;
  return reserved > 0 || members - 1 !== colons;
}

it('accepts what JSON.parse accepts, except reserved and duplicate names', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(names, text), { maxLength: 4 }), (members) => {
      const json = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
      const outcome = outcomeOf(json);
      const isRefused = Array.isArray(outcome) && outcome.every((one) => /: is /.test(String(one)));
      expect(isRefused).toBe(hasForbiddenNames(json));
      expect(isRefused || outcome).toEqual(isRefused || { value: JSON.parse(json) });
    }),
    { numRuns: 2_000 },
  );
});

describe('the work for a body', () => {
  const fill = (begin: string, unit: (index: number) => string, end: string) => {
    const parts: string[] = [];
    for (let index = 0, length = 0; length < BODY_LIMIT - 200; index++, length += (parts.at(-1)?.length ?? 0) + 1)
      parts.push(unit(index));
    return `${begin}${parts.join()}${end}`;
  };
  const one = {
    api_key: `w3k_${'a'.repeat(20)}`,
    secret_key: `w3s_${'b'.repeat(40)}`,
    scope: 'pinning.unpin',
    cost: 1,
  };
  const ordinary = fill('{"requests":[', () => JSON.stringify(one), ']}');
  const HOSTILE: Record<string, string> = {
    'a name of 63,000 characters over reserved ones': `{"${'n'.repeat(63_000)}":{${list(101, '"toString":1').slice(1, -1)}}}`,
    'very many members': fill('{', (index) => `"p${index}":1`, '}'),
    'very many members with escaped names': fill('{', (index) => `"\\u0070${index}":1`, '}'),
    'names like numbers': fill('{', (index) => `"${1_000_000 + index * 7_919}":1`, '}'),
    'one name repeated': fill('{', () => '"cost":1', '}'),
    'one name as often as the bounds allow': fill('{', () => `"cost":1${' '.repeat(25)}`, '}'),
    'reserved names': fill('{', () => '"__proto__":{}', '}'),
    'long names': fill('{', (index) => `"${'x'.repeat(150)}${index}":1`, '}'),
    'empty objects': fill('{"scopes":[', () => '{}', ']}'),
    'empty lists': fill('{"limits":[', () => '[]', ']}'),
    'lists within lists': `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`,
    'objects that do not end': '{"a":'.repeat(13_000),
    'a long number': `{"a":${'9'.repeat(65_000)}}`,
    'a number with a long exponent': `{"a":1e${'9'.repeat(65_000)}}`,
    'a name of escapes': `{"${'\\u0063'.repeat(10_900)}":1}`,
    'quotes in a name': `{"${'\\"'.repeat(32_000)}":1}`,
    'a text that does not end': `{"a":"${'\\'.repeat(65_000)}`,
    'nothing but quotes': '"'.repeat(65_000),
    'nothing but spaces': `{${' '.repeat(65_000)}}`,
    'nothing but colons': `{${':'.repeat(65_000)}}`,
    'nothing but commas': `{"a":[${','.repeat(65_000)}]}`,
  };
  /** The maximum cost relative to an ordinary body of the same length. Measured: 1 to 5. */
  const MAX_FACTOR = 30;

  /** The minimum of several runs: other load on the machine only adds to it. */
  function microsecondsFor(body: string): number {
    const times = Array.from({ length: 12 }, () => {
      const start = process.cpuUsage();
      for (let time = 0; time < 5; time++) outcomeOf(body);
      const { user, system } = process.cpuUsage(start);
      return user + system;
    });
    return Math.min(...times);
  }

  it.each(Object.entries(HOSTILE))('is bounded by its length: %s', (_, body) => {
    expect(body.length).toBeLessThanOrEqual(BODY_LIMIT);
    const usual = microsecondsFor(ordinary);
    expect(microsecondsFor(body)).toBeLessThan(MAX_FACTOR * usual);
  });
});
