/** The subset of JSON schema (2020-12) that the document uses, all references resolved. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  format?: string;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  example?: unknown;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
}

/** The document's description of the answers of one status. */
export interface DocumentedAnswer {
  headers?: Record<string, { schema: Schema }>;
  content?: Record<string, { schema: Schema; examples?: Record<string, unknown> }>;
}

/** An operation of the document. */
export interface Operation {
  id: string;
  method: string;
  /** With its parameters in braces: `/api/apiKeys/{id}`. */
  path: string;
  parameters: Parameter[];
  body: Schema | undefined;
  /** The names of the security schemes, with combined ones in one list. */
  security: string[][];
  answers: Record<string, DocumentedAnswer>;
}

/** The parts of an OpenAPI document used here, all references resolved. */
interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>;
}

interface DocumentedOperation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: { 'application/json': { schema: Schema } } };
  security?: object[];
  responses: Record<string, DocumentedAnswer>;
}

export function operationsOf(document: object): Operation[] {
  const { paths } = resolved(document, document) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters, requestBody, security, responses }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
      parameters: parameters ?? [],
      body: requestBody?.content['application/json'].schema,
      security: (security ?? []).map((schemes) => Object.keys(schemes)),
      answers: responses,
    })),
  );
}

/** The operation that a request reaches, whatever it was meant for: `list` is not an id. HEAD is answered like GET. */
export function operationAt(operations: Operation[], method: string, path: string): Operation | undefined {
  const segments = segmentsOf(path.split('?', 1)[0] ?? '');
  const asked = method === 'HEAD' ? 'GET' : method;
  const matching = operations.filter((one) => matches(segmentsOf(one.path), segments));
  const literal = matching.filter((one) => !one.path.includes('{'));
  return (literal.length > 0 ? literal : matching).find((one) => one.method === asked);
}

function segmentsOf(path: string): string[] {
  return path.replace(/\/$/, '').split('/');
}

function matches(pattern: string[], path: string[]): boolean {
  const fits = (segment: string, index: number) =>
    segment.startsWith('{') ? path[index] !== '' : segment === path[index];
  return pattern.length === path.length && pattern.every(fits);
}

function resolved(node: unknown, document: object): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((one) => resolved(one, document));
  if ('$ref' in node) return resolved(referred(String(node.$ref), document), document);
  return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, resolved(child, document)]));
}

/** Resolves a reference, for example `#/components/schemas/Key`. */
function referred(reference: string, document: object): unknown {
  const step = (parent: unknown, name: string) => (parent as Record<string, unknown>)[name];
  return reference.split('/').slice(1).reduce<unknown>(step, document);
}
