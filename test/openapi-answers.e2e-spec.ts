import { randomUUID } from 'node:crypto';
import type { Answer } from './support/client.js';
import { operationsOf, type Operation, type Parameter } from './support/fuzz/operations.js';
import { documentedBody, issued, issueKey, pairHeaders, powerlessBody } from './support/keys.js';
import { startService, type TestService } from './support/service.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

type Headers = Record<string, string>;
let service: TestService;
let document: any;
let operations: Operation[];
/** Of an admin key whose rate is never spent, of one whose rate is, and of one that may do nothing. */
let callers: Record<'admin' | 'spent' | 'powerless', Headers>;
beforeAll(async () => {
  // With a public route
  service = await startService({ ...serviceVariables, ROUTE_TABLE: 'deploy/routes.example.json' });
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
afterAll(() => service.stop());

interface Changes {
  caller?: keyof typeof callers | 'nobody';
  id?: string;
  query?: string;
  headers?: Headers;
  body?: unknown;
}

/** Calls an operation as the document shows it, on a key of its own, but for what is changed. */
async function call(operation: Operation, changes: Changes = {}): Promise<Answer> {
  const { method, path, parameters, security } = operation;
  const { caller = 'admin', headers = {}, body = exampleOf(operation) } = changes;
  const id = changes.id ?? (path.includes('{id}') ? (await issueTarget()).id : '');
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'id' ? id : shownFor(name, parameters)));
  // Where a route is not told, the scope is
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

/** One that the caller may change: it has no more than its issuer. */
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

/** The names of the headers that an answer has by the document, in lower case, and whether always. */
function documentedHeaders(operation: Operation, status: number | string): Map<string, boolean> {
  const headers = (operation.answers[status]?.headers ?? {}) as Record<string, { required?: boolean }>;
  return new Map(Object.entries(headers).map(([name, { required = false }]) => [name.toLowerCase(), required]));
}

/** What the answer has of these, in lower case. */
function sentHeaders({ headers }: Answer): string[] {
  return Object.keys(headers).filter((name) => CONTRACT.test(name));
}

/** The headers of the contract: whichever of them is sent is documented. */
const CONTRACT = /^(?:etag|ratelimit(?:-policy)?|retry-after|www-authenticate|x-request-id|x-w3ipfs-.+)$/;

/** What the answer has that its operation does not tell of, or lacks that it promises. */
function offencesOf(operation: Operation, answer: Answer): string[] {
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

/** What a gateway says of a request to a route that is open to everyone; others pass over it. */
const PUBLIC_ROUTE = { 'X-Original-Method': 'POST', 'X-Original-URI': '/api/auth/login' };

/** The headers with a value that is none of those that the document lists. */
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

/** What each operation is asked besides what the document shows: all that is known of its refusals. */
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
  // A public route, of which nobody is told
  { caller: 'nobody', query: 'deny=403', headers: PUBLIC_ROUTE },
  // More than the key has that gives it
  { body: { name: 'wider', limits: { rate_limit: null }, scopes: { admin: true } } },
];

/** Two requests with one `Idempotency-Key`: they differ in the body, or at least in the key that they are about. */
function withOneKey(operation: Operation): Changes[] {
  const headers = { 'Idempotency-Key': randomUUID() };
  const example = exampleOf(operation) as { name?: string } | undefined;
  return [{ headers }, { headers, body: example?.name ? { ...example, name: 'another' } : example }];
}

/** By these; what takes a broken service, or two requests at once, is tried where that is made. */
const REACHED = new Set(['200', '400', '401', '403', '404', '412', '422', '429']);

it('sends the headers that are documented, and none of them elsewhere', async () => {
  const offences: string[] = [];
  const seen = new Set<string>();
  for (const operation of operations) {
    for (const changes of [...SPOILED, ...withOneKey(operation)]) {
      const answer = await call(operation, changes);
      offences.push(...offencesOf(operation, answer).map((one) => `${operation.id} ${answer.status}: ${one}`));
      // Of each operation where it succeeds, of one at least where it is refused
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
  expect(offences).toEqual([]);
  expect(documented.filter((one) => !seen.has(one))).toEqual([]);
});

it('asks for credentials exactly where it says so', async () => {
  for (const operation of operations) {
    const { status } = await call(operation, { caller: 'nobody' });
    expect([operation.id, status === 401]).toEqual([operation.id, operation.security.length > 0]);
    if (status !== 401) expect([operation.id, status]).toEqual([operation.id, 200]);
  }
});

it('answers 200 to what the document shows', async () => {
  for (const operation of operations)
    expect([operation.id, (await call(operation)).status]).toEqual([operation.id, 200]);
});
