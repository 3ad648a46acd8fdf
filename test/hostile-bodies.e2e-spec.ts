import fc from 'fast-check';
import { MAX_ERROR_BYTES } from '../src/http/errors/error-bounds.js';
import { range } from './support/at-once.js';
import { outcomeOf, pathsOf } from './support/answers.js';
import type { Answer } from './support/client.js';
import { powerlessBody } from './support/keys.js';
import { type Operation, operationsOf } from './support/fuzz/operations.js';
import { useService } from './support/service.js';
import { sessionOf } from './support/sessions.js';
import { serviceHeaders, serviceVariables } from './support/verification.js';

const isForServices = (path: string) => /\/(verify|reports)/.test(path);

const LIMIT = 65_536;
const SOME_ID = '01a20b9d-c4d9-7123-b878-6eb9911deb3f';

let routes: Operation[];
const service = useService(serviceVariables);
beforeAll(async () => {
  routes = operationsOf((await service.client.get('/openapi.json')).body).filter(({ body }) => body !== undefined);
});

/** Sends it to each route that takes a body, with credentials that may call it. */
async function sendEverywhere(body: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { method, path } of routes) {
    const headers = isForServices(path) ? serviceHeaders : sessionOf('eve');
    answers.push(await service.client.call(method, path.replace('{id}', SOME_ID), { headers, body }));
  }
  return answers;
}

function expectBounded(answers: Answer[]): void {
  for (const answer of answers) {
    expect(answer.status).toBeLessThan(500);
    if (answer.status < 400) continue;
    expect(Buffer.byteLength(answer.text)).toBeLessThanOrEqual(MAX_ERROR_BYTES);
    for (const path of answer.body.error.details ? pathsOf(answer) : []) expect(path.length).toBeLessThanOrEqual(200);
  }
}

const members = (count: number, unit: (index: number) => string) => range(count).map(unit).join();

it.each([
  [
    'a name of 63,000 characters over 101 reserved ones',
    `{"${'n'.repeat(63_000)}":{${members(101, () => '"toString":1')}}}`,
  ],
  ['7,200 unknown members', `{${members(7_200, (index) => `"${index.toString(36)}":1`)}}`],
  ['2,000 unknown members with long names', `{${members(500, (index) => `"${'p'.repeat(120)}${index}":1`)}}`],
  ['scopes that are 21,000 objects', `{"name":"x","scopes":[${members(21_000, () => '{}')}]}`],
  ['limits that are 21,000 objects', `{"name":"x","limits":[${members(21_000, () => '{}')}]}`],
  ['scopes that are 1,000 objects', `{"name":"x","scopes":[${members(1_000, () => '{}')}]}`],
  ['limits that are 1,000 objects', `{"name":"x","limits":[${members(1_000, () => '{}')}]}`],
  [
    '100 requests with 19 unknown members each',
    `{"requests":[${members(100, () => `{${members(19, (index) => `"${'語'.repeat(8)}${index}":1`)}}`)}]}`,
  ],
  ['names that double as they are written', `{${members(400, (index) => `"${'\\u0001'.repeat(20)}${index}":1`)}}`],
])('refuses on every route, in 16 KiB at most: %s', async (_, body) => {
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(LIMIT);
  const answers = await sendEverywhere(body);
  expectBounded(answers);
  expect(answers.map(({ status }) => status)).toEqual(routes.map(() => 400));
});

const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc
    .tuple(fc.constantFrom('n', '"', '\0', '\ud800', '語', '\u{1f511}', '.'), fc.nat(20_000))
    .map(([unit, times]) => unit.repeat(times)),
  fc.constantFrom('toString', '__proto__', 'name', 'scopes', 'limits', 'requests', 'api_key', 'cost'),
);
/** JSON as long as a body may be: one unit repeated, within objects or lists. */
const shapes = fc
  .record({
    unit: fc.oneof(
      text.map((one) => JSON.stringify(one)),
      fc.constantFrom('{}', '[]', '1', 'null', '1e999', '[{}]'),
    ),
    name: text,
    isList: fc.boolean(),
    isNumbered: fc.boolean(),
    times: fc.oneof(fc.nat(150), fc.nat(30_000)),
    within: fc.constantFrom('', 'name', 'scopes', 'limits', 'metadata', 'requests', 'overlap_seconds', 'x'),
    depth: fc.nat(12),
  })
  .map(({ unit, name, isList, isNumbered, times, within, depth }) => {
    const one = (index: number) => (isList ? unit : `${JSON.stringify(isNumbered ? `${name}${index}` : name)}:${unit}`);
    const count = Math.max(1, Math.min(times, Math.floor(60_000 / (Buffer.byteLength(one(9_999)) + 1))));
    const all = range(count).map(one).join();
    let value = isList ? `[${all}]` : `{${all}}`;
    for (let level = 0; level < depth; level++) value = `[${value}]`;
    return within ? `{"${within}":${value}}` : value;
  })
  .filter((body) => Buffer.byteLength(body) <= LIMIT);

it('answers any body in 16 KiB at most', async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (body) => expectBounded(await sendEverywhere(body))),
    { numRuns: 60, endOnFailure: true },
  );
});

it.each([
  ['a path', 'GET', `/api/${'a'.repeat(14_000)}`, 404],
  ['a path whose route has other methods', 'PUT', `/api/apiKeys/${'a'.repeat(8_000)}`, 405],
  ['a path of many segments', 'GET', `/api${'/a'.repeat(7_000)}`, 404],
  ['an id', 'GET', `/api/apiKeys/${'%f0%9f%94%91'.repeat(600)}`, 400],
  ['a parameter', 'GET', `/api/apiKeys/list?${'p'.repeat(14_000)}=1`, 400],
  [
    '100 parameters',
    'GET',
    `/api/apiKeys/list?${members(100, (index) => `${'%00'.repeat(40)}${index}`).replaceAll(',', '&')}`,
    400,
  ],
  ['thousands of parameters', 'GET', `/api/apiKeys/list?${'a&'.repeat(7_000)}`, 400],
  [
    'thousands of parameters of authorize',
    'GET',
    `/api/apiKeys/authorize?${members(2_000, (index) => `p${index}`).replaceAll(',', '&')}`,
    400,
  ],
  ['a parameter of authorize', 'GET', `/api/apiKeys/authorize?${'%01'.repeat(4_000)}`, 400],
  ['an unknown parameter', 'GET', `/api/apiKeys/testAuthentication?${'%01'.repeat(4_000)}`, 400],
  ['a parameter of the direct lane', 'POST', `/api/apiKeys/verify?${'%01'.repeat(4_000)}`, 400],
])('quotes a bounded part of %s', async (_, method, path, status) => {
  const headers = isForServices(path) ? serviceHeaders : sessionOf('eve');
  const body = method === 'POST' ? { api_key: 'x', secret_key: 'y' } : undefined;
  const answer = await service.client.call(method, path, { headers, ...(body && { body }) });
  expect(answer.status).toBe(status);
  expectBounded([answer]);
});

/** How many times the CPU time of a valid create a wrong body may cost at most; measured: 1 to 5 times. */
const AT_MOST = 20;
const TIMES = 40;

it.each([
  ['scopes that are 1,000 objects', { name: 'x', scopes: range(1_000).map(() => ({})) }],
  ['limits that are 1,000 objects', { ...powerlessBody, limits: range(1_000).map(() => ({})) }],
  ['metadata that are 1,000 objects', { ...powerlessBody, metadata: range(1_000).map(() => ({})) }],
  [
    'a group of scopes that is 1,000 objects',
    { ...powerlessBody, scopes: { ...powerlessBody.scopes, data: range(1_000).map(() => ({})) } },
  ],
  ['a rate that is 1,000 objects', { ...powerlessBody, limits: { rate_limit: range(1_000).map(() => ({})) } }],
  ['2,000 unknown members', Object.fromEntries(range(2_000).map((index) => [`p${index}`, index]))],
  [
    '2,000 unknown scopes',
    { name: 'x', scopes: Object.fromEntries(range(1_990).map((index) => [`p${index}`, index])) },
  ],
  ['names that are 1,000 lists', { ...powerlessBody, name: range(1_000).map(() => []) }],
])('takes little longer to refuse %s than an ordinary invalid body', async (_, hostile) => {
  const usual = await microsecondsFor({ ...powerlessBody, name: '' });
  const spent = await microsecondsFor(hostile);
  expect(spent).toBeLessThan(AT_MOST * usual);
});

/** CPU time of this process, which runs both the client and the service; the least of several. */
async function microsecondsFor(body: object): Promise<number> {
  const payload = JSON.stringify(body);
  const times: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const begun = process.cpuUsage();
    expect(outcomeOf(await service.client.post('/api/apiKeys', sessionOf('eve'), payload))).toBe(
      '400 validation_failed',
    );
    const { user, system } = process.cpuUsage(begun);
    times.push(user + system);
  }
  return Math.min(...times);
}
