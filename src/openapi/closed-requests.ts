import type { OpenAPIObject } from '@nestjs/swagger';

interface Schema {
  $ref?: string;
  type?: string;
  additionalProperties?: unknown;
}

/**
 * Forbids additional properties in every object of a request, at any depth, since the service rejects them. Responses stay
 * open for properties to be added later, except for schemas that they share with requests.
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
