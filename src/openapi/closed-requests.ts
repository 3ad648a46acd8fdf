import type { OpenAPIObject } from '@nestjs/swagger';

interface Schema {
  $ref?: string;
  type?: string;
  additionalProperties?: unknown;
}

/**
 * Closes every object that a client may send, at whatever depth: what is not described there is refused, so no schema
 * may admit it. Answers stay open, since they may have more one day, but for the schemas that requests have too.
 */
export function closeRequestSchemas({ paths, components = {} }: OpenAPIObject): void {
  const seen = new Set<object>();
  const close = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || seen.has(node)) return;
    seen.add(node);
    const schema = node as Schema;
    if (schema.$ref !== undefined) close(components.schemas?.[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]);
    if (schema.type === 'object') schema.additionalProperties ??= false;
    for (const child of Object.values(node)) close(child);
  };
  for (const path of Object.values(paths)) {
    for (const { requestBody } of Object.values(path) as {
      requestBody?: { content?: Record<string, { schema?: object }> };
    }[])
      for (const { schema } of Object.values(requestBody?.content ?? {})) close(schema);
  }
}
