import fc from 'fast-check';
import type { Schema } from './operations.js';

/** Longer values cost more than they prove; the bounds themselves are still tried. */
const LONG_TEXT = 12;
const LONG_LIST = 4;
/** Far enough ahead to stay in the future while the test runs. */
const FUTURE = { min: new Date('2030-01-01T00:00:00Z'), max: new Date('2100-01-01T00:00:00Z'), noInvalidDate: true };

/** Valid values of the schema. */
export function fitting(schema: Schema): fc.Arbitrary<unknown> {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return fc.oneof(...alternatives.map((one) => fitting(one)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const types = [schema.type ?? 'object'].flat();
  const ofTypes = fc.oneof(...types.map((type) => ofType(type, schema)));
  // The document's examples are valid beyond the schema: a network, for example, is just a string there
  return schema.example === undefined
    ? ofTypes
    : fc.oneof({ arbitrary: fc.constant(schema.example), weight: 3 }, ofTypes);
}

function ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objects(schema);
    case 'array':
      return lists(schema);
    case 'string':
      return texts(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return numbers(schema);
  }
}

function objects(schema: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties: rest } = schema;
  const model = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, fitting(property)]));
  if (Object.keys(model).length > 0) return fc.record(model, { requiredKeys: required });
  const values = typeof rest === 'object' ? fitting(rest) : fc.jsonValue({ maxDepth: 1 });
  return fc.dictionary(fc.string({ minLength: 1, maxLength: LONG_TEXT }), values, { maxKeys: LONG_LIST });
}

function lists({ items = {}, minItems = 0, maxItems = LONG_LIST }: Schema): fc.Arbitrary<unknown> {
  const one = fitting(items);
  const short = fc.array(one, { minLength: minItems, maxLength: Math.min(maxItems, minItems + LONG_LIST) });
  const full = one.map((same) => Array.from({ length: maxItems }, () => same));
  return fc.oneof({ arbitrary: short, weight: 9 }, full);
}

function texts({ format, pattern, minLength = 0, maxLength = LONG_TEXT }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return fc.date(FUTURE).map((time) => time.toISOString());
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const length = { minLength, maxLength: Math.min(maxLength, minLength + LONG_TEXT) };
  return fc.oneof(
    { arbitrary: fc.string(length), weight: 4 },
    fc.string({ ...length, unit: 'grapheme' }),
    fc.constantFrom('x'.repeat(maxLength), '\u{1f511}'.repeat(maxLength)),
  );
}

function numbers({ type, minimum = 0, maximum = 1_000_000 }: Schema): fc.Arbitrary<number> {
  const small = fc.integer({ min: minimum, max: Math.min(maximum, minimum + 10) });
  const bounds = fc.constantFrom(minimum, maximum);
  const any = type === 'number' ? fc.double({ min: minimum, max: maximum, noNaN: true }) : fc.maxSafeNat();
  return fc.oneof(
    small,
    bounds,
    any.map((number) => Math.min(maximum, Math.max(minimum, number))),
  );
}
