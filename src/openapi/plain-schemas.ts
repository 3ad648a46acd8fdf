import { asUnion } from './union.decorator.js';

interface Schema {
  type?: string;
  nullable?: boolean;
  allOf?: object[];
  enum?: unknown[];
}

/**
 * Rewrites schemas into the OpenAPI 3.1 forms that client generators understand best: `null` among the types instead of
 * `nullable`; a description beside a `$ref` instead of an `allOf` around it; `oneOf` for a union; and `const` for a single
 * value.
 */
export function withPlainSchemas(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withPlainSchemas);
  if (typeof node !== 'object' || node === null) return node;
  const plain = withConstant(withPlainReference(withNullType(asUnion(node))));
  return Object.fromEntries(Object.entries(plain).map(([name, child]) => [name, withPlainSchemas(child)]));
}

/** The types are of OpenAPI 3.0, where `type` is one; in 3.1 it may be a list. */
function withNullType({ nullable, ...schema }: Schema): Schema {
  return nullable === true ? { ...schema, type: [schema.type, 'null'] as unknown as string } : schema;
}

function withPlainReference(schema: Schema): Schema {
  const { allOf = [], ...rest } = schema;
  const [only] = allOf;
  return allOf.length === 1 && only !== undefined && '$ref' in only ? { ...rest, ...only } : schema;
}

/** Booleans get both: some generators read only `const`, and others only `enum`. */
function withConstant(schema: Schema): Schema {
  const { enum: values, ...rest } = schema;
  if (!Array.isArray(values) || values.length !== 1) return schema;
  return { ...(schema.type === 'boolean' ? schema : rest), const: values[0] } as Schema;
}
