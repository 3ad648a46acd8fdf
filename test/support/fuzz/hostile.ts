import fc from 'fast-check';

/** Values that break code: names that every object has, bounds of numbers, lone surrogates, control characters. */
const STUMBLING_BLOCKS = [
  ['__proto__', 'constructor', 'toString', '', ' ', '\0', '\ud800', '\u202e', '\ufeff', "'; --", '%00', '{}'],
  [0, -0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 63, 1e-320],
  [null, true, false, [], {}, [[]], [null], { admin: true }, '1', 'true', 'null'],
].flat(1);

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('x'.repeat(101), 'x'.repeat(5_000)));

/** Any JSON value, or `undefined`, which omits a property. */
const anything = fc.oneof(
  fc.constantFrom(...STUMBLING_BLOCKS),
  fc.constant(undefined),
  text,
  fc.double({ noNaN: true }),
  fc.jsonValue({ maxDepth: 4 }),
  fc.integer({ min: 1, max: 300 }).map(nested),
);

const names = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'admin', 'id', 'owner_id', 'limits', ''), text);

/** The value with one to three mutations: a part removed, replaced or added. */
export function nearly(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change = fc.record({ place: fc.nat(), value: anything, added: fc.option(names, { nil: undefined }) });
  const changes = fc.array(change, { minLength: 1, maxLength: 3 });
  return fc.tuple(fitting, changes).map(([value, list]) => {
    const changed = { root: structuredClone(value) };
    for (const { place, value: put, added } of list) changeOne(changed, place, structuredClone(put), added);
    return changed.root;
  });
}

function changeOne(root: { root: unknown }, place: number, put: unknown, added: string | undefined): void {
  const places = placesIn(root);
  const [parent, name] = places[place % places.length] as [Record<string, unknown>, string];
  const child = parent[name];
  if (added !== undefined && typeof child === 'object' && child !== null) define(child, added, put);
  else define(parent, name, put);
}

/** As an own property, even if it is named `__proto__`; an array's `length` can't be one. */
function define(parent: object, name: string, value: unknown): void {
  if (Array.isArray(parent) && name === 'length') return;
  Object.defineProperty(parent, name, { value, enumerable: true, writable: true, configurable: true });
}

function placesIn(parent: object): [object, string][] {
  const own = Object.keys(parent).map((name): [object, string] => [parent, name]);
  const inside = Object.values(parent).flatMap((child) =>
    typeof child === 'object' && child !== null ? placesIn(child as object) : [],
  );
  return own.concat(inside);
}

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Bodies that need not be JSON; text and bytes are sent unchanged. */
export function wildBodies(fitting: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const broken = fc
    .tuple(fitting, fc.nat())
    .map(([value, at]) => (JSON.stringify(value) ?? '').slice(0, at % 60) || '{');
  const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
  return fc.oneof(anything, text, broken, bytes, fc.constant(undefined), fc.constant('{"a":'.repeat(9_000)));
}

/** Replaces lone surrogates, which have no encoding. */
export function percentEncoded(word: string): string {
  return encodeURIComponent(Buffer.from(word).toString());
}

/** Encoded for a path or a query, correctly or incorrectly. */
export const strangeWords = fc.oneof(
  text.map(percentEncoded),
  fc.constantFrom('%', '%zz', '%00', '%ff', '%2e%2e', '%2f', '..', '.', '*', '{id}', '%252f', ';a=b', '%c0%ae'),
  fc.constantFrom('list', 'events', 'verify', '0', 'null', '[]', 'NaN', '1e9', '-1', '1.5', '%20', '+'),
  fc.constant('0'.repeat(1_000)),
);

/** The characters that a header can carry: the client would not send others. */
export const headerText = fc.oneof(
  fc.stringMatching(/^[\t\u0020-\u007e\u0080-\u00ff]{0,40}$/),
  fc.constantFrom('', ' ', ',', '""', '"', 'x'.repeat(300), '*', '"1", "2"', 'W/"1"', '1; q=0'),
);

export const strangeTypes = fc.constantFrom<string | string[]>(
  'text/plain',
  'application/json; charset=utf-16',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8;charset=latin1',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'APPLICATION/JSON',
  'application/jsonx',
  'json',
  '',
  ['application/json', 'text/plain'],
);

/** Larger than the limit of a body, which is 64 KiB, and 256 KiB for the reports of guards. */
export function tooLarge(operationId: string): object {
  return { name: 'x'.repeat(operationId === 'reportVerdicts' ? 300_000 : 70_000) };
}
