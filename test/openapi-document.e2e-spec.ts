import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { AUDIT_ACTIONS } from '../src/audit/audit-actions.js';
import { ERROR_CODES } from '../src/http/errors/error-codes.js';
import { REFUSALS, UNAUTHENTICATED_REASONS } from '@w3ipfs/api-keys-guard/decision';

/** What client generators, linters and readers rely on, for any operation. */
const document = JSON.parse(readFileSync('openapi.json', 'utf8'));
const { schemas, securitySchemes } = document.components;

interface Operation {
  operationId: string;
  pointer: string;
  [name: string]: any;
}

const operations: Operation[] = Object.entries<Record<string, any>>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const pointer = `#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}`;
    return Object.assign(operation, { pointer });
  }),
);
const cases = operations.map((operation) => [operation.operationId, operation] as const);

const ajv = new Ajv2020({ strict: false, allErrors: true });
formats.default(ajv);
ajv.addSchema(document, 'document');

/** The problems of a value by a schema of the document. @param pointer for example `#/components/schemas/Usage` */
function problems(pointer: string, value: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `document${encodeURI(pointer)}` });
  return validate(value) ? [] : (validate.errors ?? []);
}

function resolve(node: any): any {
  return node?.$ref ? schemas[node.$ref.split('/').at(-1)] : node;
}

/** The schema, and all schemas that it refers to. */
function reachable(node: any, seen = new Set<any>()): any[] {
  const schema = resolve(node);
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return [];
  seen.add(schema);
  return [schema, ...Object.values(schema).flatMap((child) => reachable(child, seen))];
}

/** The values that a schema admits, if it lists them. */
const valuesOf = (schema: any): unknown[] => {
  const { enum: values, const: only, anyOf = [] } = resolve(schema);
  return [...(values ?? [only]), ...anyOf.flatMap(valuesOf)].filter((value) => value !== undefined);
};
const jsonOf = (part: any) => part?.content?.['application/json'];

it('names its server, and orders its sections', () => {
  expect(document.servers).toEqual([{ url: '/', description: expect.any(String) }]);
  for (const tag of document.tags) expect(tag.description).toMatch(/\w{3}/);
  // Tools that ignore tags show the operations in the same order
  const used = operations.flatMap(({ tags }) => tags);
  expect([...new Set(used)]).toEqual(document.tags.map(({ name }: { name: string }) => name));
});

it('describes every way to authenticate, and calls only a session a JWT', () => {
  for (const [name, scheme] of Object.entries<any>(securitySchemes)) {
    expect([name, scheme.description]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    expect([name, scheme.bearerFormat === 'JWT']).toEqual([name, name === 'session']);
  }
});

describe.each(cases)('%s', (_, operation) => {
  const bodyPointer = `${operation.pointer}/requestBody/content/application~1json`;

  it('is described, with each of its parameters and who may call it', () => {
    const { summary, description, tags, parameters = [], security } = operation;
    expect([summary, description]).toEqual([expect.stringMatching(/\w{3}/), expect.stringMatching(/\w{3}/)]);
    expect(tags).toHaveLength(1);
    for (const { name, description: text } of parameters) {
      expect([name, text]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    }
    expect(security).toEqual(expect.any(Array));
    for (const name of security.flatMap((schemes: object) => Object.keys(schemes)))
      expect(securitySchemes).toHaveProperty(name);
  });

  it('shows valid bodies, if it takes one, including one without optional members', () => {
    const body = jsonOf(operation['requestBody']);
    if (!body) return;
    const examples = Object.entries<any>(body.examples ?? {});
    expect(examples.length).toBeGreaterThan(0);
    for (const [name, { summary, value }] of examples) {
      expect([name, summary]).toEqual([name, expect.stringMatching(/\w{3}/)]);
      expect([name, problems(`${bodyPointer}/schema`, value)]).toEqual([name, []]);
    }
    // A generator treats a member with a default as always present
    for (const schema of reachable(body.schema)) expect(schema).not.toHaveProperty('default');
  });

  it('admits nothing undocumented in its body, at any depth', () => {
    const objects = reachable(jsonOf(operation['requestBody'])?.schema).filter(({ type }) =>
      [type].flat().includes('object'),
    );
    for (const { additionalProperties = true, ...schema } of objects)
      expect({ ...schema, isOpen: additionalProperties === true }).toMatchObject({ isOpen: false });
  });

  it('answers with named schemas and valid examples', () => {
    for (const [status, response] of Object.entries<any>(operation['responses'])) {
      const content = jsonOf(response);
      if (!content) continue;
      expect([status, content.schema]).toEqual([
        status,
        { $ref: expect.stringMatching(/^#\/components\/schemas\/\w+$/) },
      ]);
      const values = content.examples
        ? Object.values<any>(content.examples).map(({ value }) => value)
        : [content.example];
      for (const value of values) expect([status, problems(content.schema.$ref, value)]).toEqual([status, []]);
    }
  });
});

it('names each envelope after its content', () => {
  for (const [name, schema] of Object.entries<any>(schemas)) {
    const isSuccess = schema.properties?.status && valuesOf(schema.properties.status).includes('success');
    if (!isSuccess || schema.properties.message) continue;
    expect([name, schema.required]).toEqual([name, ['data', 'status']]);
    expect(schema.properties.data).toEqual({ $ref: `#/components/schemas/${name.replace(/^Success/, '')}` });
  }
  expect(Object.keys(schemas)).toContain('SuccessIssuedApiKey');
});

/** Globals of browsers; those that Node shares are among its own. */
const BROWSER_TYPES = new Set([
  'Document',
  'Element',
  'History',
  'Location',
  'Lock',
  'Node',
  'Notification',
  'Option',
  'Range',
  'Selection',
]);

it('uses no name that a language reserves', () => {
  const taken = Object.keys(schemas).filter((name) => name in globalThis || BROWSER_TYPES.has(name));
  expect(taken).toEqual([]);
});

describe.each([
  ['Verdict', [...REFUSALS, 'VALID']],
  ['BatchVerdict', [...REFUSALS, 'VALID', 'UNAVAILABLE']],
])('%s', (name, codes) => {
  it('is a union discriminated by valid and code, with every code once', () => {
    expect(Object.keys(schemas[name])).toEqual(expect.not.arrayContaining(['type', 'properties']));
    const members = schemas[name].oneOf.map(resolve);
    expect(members.flatMap(({ properties }: any) => valuesOf(properties.code)).toSorted()).toEqual(codes.toSorted());
    for (const { properties, required } of members) {
      // A grant is there only if the request asks for it
      const always = Object.keys(properties).filter((member) => member !== 'grant');
      expect(required.toSorted()).toEqual(always.toSorted());
      expect(valuesOf(properties.valid)).toEqual([valuesOf(properties.code).includes('VALID')]);
    }
  });
});

it('lists all codes, actions and states', () => {
  expect(schemas).toMatchObject({
    ErrorCode: { enum: Object.keys(ERROR_CODES) },
    UnauthenticatedReason: { enum: [...UNAUTHENTICATED_REASONS] },
    AuditAction: { enum: [...AUDIT_ACTIONS] },
  });
  const closed = new Set(['action', 'code', 'reason', 'refusal', 'revoked_reason', 'status', 'valid']);
  for (const [name, schema] of Object.entries<any>(schemas)) {
    for (const [property, value] of Object.entries<any>(schema.properties ?? {}).filter(([one]) => closed.has(one))) {
      expect([name, property, valuesOf(value).length > 0]).toEqual([name, property, true]);
    }
  }
});
