import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { AUDIT_ACTIONS } from '../src/audit/audit-actions.js';
import { ERROR_CODES } from '../src/http/errors/error-codes.js';
import { REFUSALS, UNAUTHENTICATED_REASONS } from '../src/http/errors/refusals.js';

/** What generators of clients, linters and readers go by; whatever operations there are. */
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

/** What is wrong with a value, by a schema of the document. @param pointer `#/components/schemas/Usage`, say */
function offences(pointer: string, value: unknown): unknown[] {
  const validate = ajv.compile({ $ref: `document${encodeURI(pointer)}` });
  return validate(value) ? [] : (validate.errors ?? []);
}

function resolve(node: any): any {
  return node?.$ref ? schemas[node.$ref.split('/').at(-1)] : node;
}

/** The schema, and all that it refers to. */
function reachable(node: any, seen = new Set<any>()): any[] {
  const schema = resolve(node);
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return [];
  seen.add(schema);
  return [schema, ...Object.values(schema).flatMap((child) => reachable(child, seen))];
}

/** Those that a schema admits, if it says so. */
const valuesOf = (schema: any): unknown[] => {
  const { enum: values, const: only, anyOf = [] } = resolve(schema);
  return [...(values ?? [only]), ...anyOf.flatMap(valuesOf)].filter((value) => value !== undefined);
};
const jsonOf = (part: any) => part?.content?.['application/json'];

it('says where it is served, and what comes first', () => {
  expect(document.servers).toEqual([{ url: '/', description: expect.any(String) }]);
  for (const tag of document.tags) expect(tag.description).toMatch(/\w{3}/);
  // Tools that do not sort by the tags show the operations in the same order
  const used = operations.flatMap(({ tags }) => tags);
  expect([...new Set(used)]).toEqual(document.tags.map(({ name }: { name: string }) => name));
});

it('describes every way to authenticate, and calls a session alone a JWT', () => {
  for (const [name, scheme] of Object.entries<any>(securitySchemes)) {
    expect([name, scheme.description]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    expect([name, scheme.bearerFormat === 'JWT']).toEqual([name, name === 'session']);
  }
});

describe.each(cases)('%s', (_, operation) => {
  const bodyPointer = `${operation.pointer}/requestBody/content/application~1json`;

  it('is told about, with each of its parameters, and says who may call it', () => {
    const { summary, description, tags, parameters = [], security } = operation;
    expect([summary, description]).toEqual([expect.stringMatching(/\w{3}/), expect.stringMatching(/\w{3}/)]);
    expect(tags).toHaveLength(1);
    for (const { name, description: told } of parameters) {
      expect([name, told]).toEqual([name, expect.stringMatching(/\w{3}/)]);
    }
    expect(security).toEqual(expect.any(Array));
    for (const name of security.flatMap((schemes: object) => Object.keys(schemes)))
      expect(securitySchemes).toHaveProperty(name);
  });

  it('shows bodies that fit, if it takes one, and leaves out what may be left out', () => {
    const body = jsonOf(operation['requestBody']);
    if (!body) return;
    const examples = Object.entries<any>(body.examples ?? {});
    expect(examples.length).toBeGreaterThan(0);
    for (const [name, { summary, value }] of examples) {
      expect([name, summary]).toEqual([name, expect.stringMatching(/\w{3}/)]);
      expect([name, offences(`${bodyPointer}/schema`, value)]).toEqual([name, []]);
    }
    // A generator takes what has a default for what is always there
    for (const schema of reachable(body.schema)) expect(schema).not.toHaveProperty('default');
  });

  it('admits nothing in its body, at whatever depth, that is not described', () => {
    const objects = reachable(jsonOf(operation['requestBody'])?.schema).filter(({ type }) =>
      [type].flat().includes('object'),
    );
    for (const { additionalProperties = true, ...schema } of objects)
      expect({ ...schema, isOpen: additionalProperties === true }).toMatchObject({ isOpen: false });
  });

  it('answers with schemas that have names, and shows examples that fit', () => {
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
      for (const value of values) expect([status, offences(content.schema.$ref, value)]).toEqual([status, []]);
    }
  });
});

it('names each envelope for what is in it', () => {
  for (const [name, schema] of Object.entries<any>(schemas)) {
    const isSuccess = schema.properties?.status && valuesOf(schema.properties.status).includes('success');
    if (!isSuccess || schema.properties.message) continue;
    expect([name, schema.required]).toEqual([name, ['data', 'status']]);
    expect(schema.properties.data).toEqual({ $ref: `#/components/schemas/${name.replace(/^Success/, '')}` });
  }
  expect(Object.keys(schemas)).toContain('SuccessIssuedApiKey');
});

/** Of browsers; what Node knows too is among its own globals. */
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

it('takes no name that a language has for something else', () => {
  const taken = Object.keys(schemas).filter((name) => name in globalThis || BROWSER_TYPES.has(name));
  expect(taken).toEqual([]);
});

describe.each([
  ['Verdict', [...REFUSALS, 'VALID']],
  ['BatchVerdict', [...REFUSALS, 'VALID', 'UNAVAILABLE']],
])('%s', (name, codes) => {
  it('is a union whose members are told apart by valid and code, and has every code once', () => {
    expect(Object.keys(schemas[name])).toEqual(expect.not.arrayContaining(['type', 'properties']));
    const members = schemas[name].oneOf.map(resolve);
    expect(members.flatMap(({ properties }: any) => valuesOf(properties.code)).toSorted()).toEqual(codes.toSorted());
    for (const { properties, required } of members) {
      expect(required).toEqual(expect.arrayContaining(['valid', 'code', ...Object.keys(properties)]));
      expect(valuesOf(properties.valid)).toEqual([valuesOf(properties.code).includes('VALID')]);
    }
  });
});

it('names all codes, actions and states that there are', () => {
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
