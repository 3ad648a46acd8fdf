import { setTimeout as sleep } from 'node:timers/promises';
import { REFUSALS } from '@w3ipfs/api-keys-guard/decision';
import { runConcurrently } from './support/at-once.js';
import type { Answer } from './support/client.js';
import { createTestDatabase, onServer, type TestDatabase } from './support/database.js';
import { AnswerChecker, closed } from './support/fuzz/answer-checker.js';
import { AnswerCounts } from './support/fuzz/answer-counts.js';
import { collectingVariables, HEAP_NOISE, HeapSamples } from './support/fuzz/heap-samples.js';
import { type Operation, operationAt, operationsOf, type Schema } from './support/fuzz/operations.js';
import { type FuzzRequest, KINDS, Requests } from './support/fuzz/requests.js';
import { Supply } from './support/fuzz/supply.js';
import { run, type ServiceProcess, startProcess } from './support/process.js';
import { accountService } from './support/sessions.js';
import { serviceVariables } from './support/verification.js';

const ENOUGH_FOR_EVERY_ANSWER = 20_000;
const REQUESTS = onServer ? ENOUGH_FOR_EVERY_ANSWER : 2_000;
const CALLERS = 16;
const MAX_MS = 10_000;
/** Makes the same requests each time, apart from the ids of keys; set `FUZZ_SEED` for others. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_124);
const SAMPLE_EVERY = REQUESTS / 100;

/** The relative frequency of each operation, 1 by default: cheap ones are called often. */
const SHARES: Record<string, number> = onServer
  ? { verifyApiKey: 12, verifyApiKeys: 8, authorizeRequest: 12, updateApiKey: 3, testAuthentication: 2 }
  : { verifyApiKey: 3, verifyApiKeys: 2, authorizeRequest: 3 };

/** Need two requests with one `Idempotency-Key`, which are rare at random; `idempotency.e2e-spec.ts` covers them. */
const NOT_EXPECTED = new Set(['409', '422']);

const ofAccountService = { JWT_PUBLIC_KEY: accountService.publicKey };

let database: TestDatabase;
let service: ServiceProcess;
let supply: Supply;
let operations: Operation[];
let checker: AnswerChecker;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startProcess({
    ...database.variables,
    ...serviceVariables,
    ...collectingVariables,
    ...ofAccountService,
    LOG_LEVEL: 'info',
    TRUSTED_PROXIES: '127.0.0.1',
  });
  const { body: document } = await service.client.get('/openapi.json');
  operations = operationsOf(document);
  const failure = operations[0]?.answers['500']?.content?.['application/json']?.schema;
  checker = new AnswerChecker(closed(operations), closed(failure as Schema));
  supply = await Supply.open(service.client);
}, 120_000);
afterAll(async () => {
  await service.stop();
  await database.drop();
});

it(`answers ${REQUESTS} requests, valid or not, as the document says, and keeps no memory of them`, async () => {
  const counts = new AnswerCounts();
  const findings: string[] = [];
  const heap = new HeapSamples(service.client);
  await runConcurrently(CALLERS, schedule(), async ({ index, request }) => {
    if (index % SAMPLE_EVERY === 0) await heap.take();
    await supply.refill();
    const answer = await answerInTime(request);
    supply.learn(request, answer);
    counts.add(operationAt(operations, request.method, request.path), answer);
    const problems = checker.problemsOf(request, answer);
    if (problems.length > 0) findings.push(described(index, request, answer, problems));
  });
  process.stdout.write(`FUZZ_SEED=${SEED}\n${counts.table()}\n${heap.summary()}\n`);
  expect(findings.slice(0, 10)).toEqual([]);
  // Its limit is ten times that of other routes, which no caller reaches here
  const unseen = counts.unseen(operations, NOT_EXPECTED).filter((answer) => answer !== 'testAuthentication 429');
  if (REQUESTS === ENOUGH_FOR_EVERY_ANSWER) expect(unseen).toEqual([]);
  expect(counts.unseenVerdicts(['VALID', ...REFUSALS])).toEqual([]);
  expect(heap.growth).toBeLessThan(HEAP_NOISE);
}, 600_000);

it('leaves the audit trails of all owners intact', async () => {
  const outcome = await run(['dist/cli.js', 'verify-audit', '--json'], { ...database.variables, ...ofAccountService });
  const { events, offences, accepted } = JSON.parse(outcome.stdout);
  expect({ code: outcome.code, offences, accepted }).toEqual({ code: 0, offences: [], accepted: [] });
  expect(events).toBeGreaterThan(REQUESTS / 100);
});

/** Rotates through the operations by their share, and for each through the kinds of requests and credentials. */
function* schedule(): Generator<{ index: number; request: FuzzRequest }> {
  const turns = operations.flatMap((operation) => {
    const turn = { requests: new Requests(operation, supply), count: 0 };
    return Array.from({ length: SHARES[operation.id] ?? 1 }, () => turn);
  });
  const credentials = Object.keys(supply.credentials);
  for (let index = 0; index < REQUESTS; index++) {
    const turn = turns[index % turns.length] as (typeof turns)[number];
    const kind = KINDS[turn.count % KINDS.length] as (typeof KINDS)[number];
    const name = credentials[turn.count++ % credentials.length] as string;
    yield { index, request: turn.requests.one(kind, SEED + index, name) };
  }
}

async function answerInTime(request: FuzzRequest): Promise<Answer> {
  const { method, path, headers, body } = request;
  const late = sleep(MAX_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('too late')));
  try {
    return await Promise.race([service.client.call(method, path, { headers, body }), late]);
  } catch (cause) {
    throw new Error(`no answer to ${JSON.stringify(request).slice(0, 1_000)}`, { cause });
  }
}

function described(index: number, request: FuzzRequest, answer: Answer, problems: string[]): string {
  return `${index}: ${problems.join('; ')}\n${JSON.stringify(request).slice(0, 1_000)}\n${answer.status} ${answer.text.slice(0, 500)}`;
}
