import { asUnion } from './union.decorator.js';

interface Schema {
  type?: string;
  nullable?: boolean;
  allOf?: object[];
  enum?: unknown[];
}

/**
 * The document as 3.1 can say it, and generators of clients understand it best: `null` is one of the types, and no
 * `nullable`; what is said of a reference stands beside it, and not around it (`allOf`); a union is its members; what has
 * one value alone has it as `const`.
 */
export function withPlainSchemas(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withPlainSchemas);
  if (typeof node !== 'object' || node === null) return node;
  const plain = withConstant(withReference(withNullType(asUnion(node))));
  return Object.fromEntries(Object.entries(plain).map(([name, child]) => [name, withPlainSchemas(child)]));
}

function withNullType({ nullable, ...schema }: Schema): Schema {
  return nullable === true ? { ...schema, type: [schema.type, 'null'] as unknown as string } : schema;
}

function withReference(schema: Schema): Schema {
  const { allOf = [], ...rest } = schema;
  const [only] = allOf;
  return allOf.length === 1 && only !== undefined && '$ref' in only ? { ...rest, ...only } : schema;
}

/** Of `true` and `false`, some generators read the `const` alone, and others the `enum`. */
function withConstant(schema: Schema): Schema {
  const { enum: values, ...rest } = schema;
  if (!Array.isArray(values) || values.length !== 1) return schema;
  return { ...(schema.type === 'boolean' ? schema : rest), const: values[0] } as Schema;
}
