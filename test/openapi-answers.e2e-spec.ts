import { randomUUID } from 'node:crypto';
import type { Answer } from './support/client.js';
import { operationsOf, type Operation, type Parameter } from './support/fuzz/operations.js';
import { documentedBody, issued, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { useService } from './support/service.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

type Headers = Record<string, string>;
let document: any;
let operations: Operation[];
/** An admin key with unlimited rate, one with an exhausted rate, and one without scopes. */
let callers: Record<'admin' | 'spent' | 'powerless', Headers>;
// With a public route
const service = useService({ ...serviceVariables, ROUTE_TABLE: 'deploy/routes.example.json' });
beforeAll(async () => {
  document = (await service.client.get('/openapi.json')).body;
  operations = operationsOf(document);
  const admin = (name: string, requests: number) => ({
    name,
    scopes: { admin: true },
    limits: { rate_limit: { requests, window_seconds: 3_600 } },
  });
  const issue = async (body: object): Promise<Headers> => pairHeaders(await issueKey(service.client, 'alice', body));
  callers = {
    admin: await issue(admin('admin', 100_000)),
    spent: await issue(admin('spent', 1)),
    powerless: await issue(powerlessBody),
  };
  await service.client.get('/api/apiKeys/list', callers.spent);
});

interface Changes {
  caller?: keyof typeof callers | 'nobody';
  id?: string;
  query?: string;
  headers?: Headers;
  body?: unknown;
}

/** Calls an operation as the document shows it, on a separate key, with these changes. */
async function call(operation: Operation, changes: Changes = {}): Promise<Answer> {
  const { method, path, parameters, security } = operation;
  const { caller = 'admin', headers = {}, body = exampleOf(operation) } = changes;
  const id = changes.id ?? (path.includes('{id}') ? (await issueTarget()).id : '');
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'id' ? id : shownFor(name, parameters)));
  // Without a route, it needs a scope
  const query = changes.query ?? (parameters.some(({ name }) => name === 'deny') ? 'scope=pinning.unpin' : '');
  return service.client.call(method, `${filled}?${query}`, {
    headers: { ...(security.length > 0 && credentialsOf(caller, security)), ...headers },
    body,
  });
}

function shownFor(name: string, parameters: Parameter[]): string {
  const parameter = parameters.find((one) => one.in === 'path' && one.name === name);
  return String(parameter?.schema.example);
}

/** The documented status of success. */
function successOf({ answers }: Operation): number {
  return Number(Object.keys(answers).find((status) => status.startsWith('2')));
}

/** One that the caller may change, with no more than the rights of its issuer. */
async function issueTarget() {
  return issued(await service.client.post('/api/apiKeys', callers.admin, documentedBody));
}

function credentialsOf(caller: Changes['caller'], security: string[][]): Headers {
  if (caller === 'nobody' || caller === undefined) return {};
  return security.flat().includes('service') ? serviceHeaders : callers[caller];
}

function exampleOf({ path, method }: Operation): unknown {
  const { requestBody } = document.paths[path][method.toLowerCase()];
  const examples = Object.values<any>(requestBody?.content['application/json'].examples ?? {});
  return examples[0]?.value;
}

/** The documented headers of an answer in lower case, and whether each is always sent. */
function documentedHeaders(operation: Operation, status: number | string): Map<string, boolean> {
  const headers = (operation.answers[status]?.headers ?? {}) as Record<string, { required?: boolean }>;
  return new Map(Object.entries(headers).map(([name, { required = false }]) => [name.toLowerCase(), required]));
}

/** Those of these headers that the answer has, in lower case. */
function sentHeaders({ headers }: Answer): string[] {
  return Object.keys(headers).filter((name) => CONTRACT.test(name));
}

/** The headers of the contract: any of them that is sent must be documented. */
const CONTRACT = /^(?:etag|ratelimit(?:-policy)?|retry-after|www-authenticate|x-request-id|x-w3ipfs-.+)$/;

/** The undocumented headers of the answer, and the promised ones that it lacks. */
function problemsOf(operation: Operation, answer: Answer): string[] {
  const documented = documentedHeaders(operation, answer.status);
  const unknown = sentHeaders(answer).filter((name) => !documented.has(name));
  const missing = [...documented].filter(([name, required]) => required && answer.headers[name] === undefined);
  return [
    ...(operation.answers[answer.status] ? [] : ['the status is not documented']),
    ...undocumentedValues(operation, answer),
    ...unknown.map((name) => `${name} is not documented`),
    ...missing.map(([name]) => `${name} is missing`),
  ];
}

/** The headers of a gateway for a request to a public route; other operations ignore them. */
const PUBLIC_ROUTE = { 'X-Original-Method': 'POST', 'X-Original-URI': '/api/auth/login' };

/** The headers with a value that the document does not list. */
function undocumentedValues(operation: Operation, { status, headers }: Answer): string[] {
  const documented = Object.entries<any>(operation.answers[status]?.headers ?? {});
  return documented
    .map(([name, { schema }]) => ({ name, values: valuesOf(schema), value: headers[name.toLowerCase()] }))
    .filter(({ values, value }) => values && value !== undefined && !values.includes(String(value)))
    .map(({ name, value }) => `${name} is "${String(value)}"`);
}

function valuesOf(schema: any): string[] | undefined {
  return schema?.const === undefined ? schema?.enum : [schema.const];
}

/** Further calls of each operation, to get all of its documented refusals. */
const SPOILED: Changes[] = [
  {},
  { caller: 'nobody' },
  { caller: 'powerless' },
  { caller: 'spent' },
  { query: 'unknown=1' },
  { id: randomUUID() },
  { body: '{' },
  { headers: { 'If-Match': '"999"' } },
  { headers: { Authorization: 'Bearer and.a.pair' } },
  // A public route, without an identity
  { caller: 'nobody', query: 'deny=403', headers: PUBLIC_ROUTE },
  // More than the issuing key has
  { body: { name: 'wider', limits: { rate_limit: null }, scopes: { admin: true } } },
];

/** Two requests with one `Idempotency-Key` that differ in the body, or at least in the key they address. */
function withOneKey(operation: Operation): Changes[] {
  const headers = { 'Idempotency-Key': randomUUID() };
  const example = exampleOf(operation) as { name?: string } | undefined;
  return [{ headers }, { headers, body: example?.name ? { ...example, name: 'another' } : example }];
}

/** The statuses that these calls cover; others need a broken service or concurrent requests, and have tests of their own. */
const REACHED = new Set(['200', '400', '401', '403', '404', '412', '422', '429']);

it('sends the documented headers, and none elsewhere', async () => {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const operation of operations) {
    for (const changes of [...SPOILED, ...withOneKey(operation)]) {
      const answer = await call(operation, changes);
      problems.push(...problemsOf(operation, answer).map((one) => `${operation.id} ${answer.status}: ${one}`));
      // Every operation must succeed once, and every refusal occur once
      for (const name of sentHeaders(answer))
        seen.add(`${answer.status === 200 ? operation.id : ''} ${answer.status} ${name}`);
    }
  }
  const documented = operations.flatMap((operation) =>
    Object.keys(operation.answers)
      .filter((status) => REACHED.has(status))
      .flatMap((status) =>
        [...documentedHeaders(operation, status).keys()].map(
          (name) => `${status === '200' ? operation.id : ''} ${status} ${name}`,
        ),
      ),
  );
  expect(problems).toEqual([]);
  expect(documented.filter((one) => !seen.has(one))).toEqual([]);
});

it('requires credentials exactly where documented', async () => {
  for (const operation of operations) {
    const { status } = await call(operation, { caller: 'nobody' });
    expect([operation.id, status === 401]).toEqual([operation.id, operation.security.length > 0]);
    if (status !== 401) expect([operation.id, status]).toEqual([operation.id, 200]);
  }
});

it('answers the examples of the document as it says', async () => {
  for (const operation of operations)
    expect([operation.id, (await call(operation)).status]).toEqual([operation.id, successOf(operation)]);
});
