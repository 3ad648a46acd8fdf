import { connect } from 'node:net';
import { inBackground } from '../src/background/background.js';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, startProcess } from './support/process.js';
import { accountService } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceHeaders, serviceVariables, verify } from './support/verification.js';

const CONNECTIONS = 500;
/** Far above the timeouts of a request (10 s) and of an unread answer (30 s), and below Node's own for headers. */
const MAX_MS = 55_000;
const MORE_EVERY_MS = 500;
/** The timeout of a request (10 s), the interval of the check (1 s), and slack for a busy machine. */
const ENDED_WITHIN_MS = 10_000 + 1_000 + 15_000;
/** A request that waited for a slow client would wait for that one's whole timeout. */
const SERVED_WITHIN_MS = 10_000;

const head = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n`;
const TOKEN = `Authorization: ${serviceHeaders.authorization}\r\n`;
interface Way {
  name: string;
  /** Sent immediately. */
  begin: string;
  /** Sent repeatedly, with pauses. */
  more: string;
}
const WAYS: Way[] = [
  { name: 'headers', begin: 'POST /api/apiKeys HTTP/1.1\r\n', more: 'X' },
  { name: 'a body', begin: `${head('/api/apiKeys/report-leak')}\r\n`, more: ' ' },
  { name: 'a body of the direct lane', begin: `${head('/api/apiKeys/verify')}${TOKEN}\r\n`, more: ' ' },
  { name: 'nothing', begin: '', more: '' },
];
const documents = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(32);
const READS_NOTHING: Way = { name: 'requests alone', begin: documents, more: documents };

let database: TestDatabase;
let service: ServiceProcess;
/** Takes longest to time out: it waits while the other test runs. */
let deaf: SlowConnection;
beforeAll(async () => {
  database = await createTestDatabase();
  const variables = { ...database.variables, ...serviceVariables, JWT_PUBLIC_KEY: accountService.publicKey };
  service = await startProcess(variables);
  await issueAndVerify();
  deaf = new SlowConnection(service.client.url, READS_NOTHING, false);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

it(`serves others beside ${CONNECTIONS} connections that send a byte at a time, and closes these`, async () => {
  const before = await openFiles();
  const slow = range(CONNECTIONS).map((index) => new SlowConnection(service.client.url, WAYS[index % WAYS.length]!));
  const allEnded = Promise.all(slow.map(({ ended }) => ended));
  const over = new AbortController();
  inBackground(
    'Waiting for the slow clients',
    allEnded.then(() => over.abort()),
  );
  let most = 0;
  const served: number[] = [];
  while (!over.signal.aborted) {
    const milliseconds = await issueAndVerify();
    if (over.signal.aborted) break;
    served.push(milliseconds);
    most = Math.max(most, (await openFiles()) - before);
  }
  const outcomes = await allEnded;
  process.stdout.write(
    `at most ${most} slow connections at once; others were served ${served.length} times meanwhile, ` +
      `the slowest in ${Math.round(Math.max(...served))} ms\n`,
  );
  for (const { way, text } of outcomes) expect(`${way}: ${text.slice(0, 12)}`).toBe(`${way}: HTTP/1.1 408`);
  expect(served.length).toBeGreaterThan(0);
  expect(Math.max(...served)).toBeLessThan(SERVED_WITHIN_MS);
  expect(Math.max(...outcomes.map(({ afterMs }) => afterMs))).toBeLessThan(ENDED_WITHIN_MS);
  await until(async () => (await openFiles()) <= before + 5, 'the end of their connections in the service');
});

it('serves others beside one that keeps sending requests and reads nothing, and closes it', async () => {
  await issueAndVerify();
  const { isGivenUp, afterMs } = await deaf.ended;
  process.stdout.write(`a client that reads nothing was given up after ${Math.round(afterMs / 1_000)} s\n`);
  expect(isGivenUp).toBe(true);
});

/** Sends slowly, until the service closes the connection or long after the bound. */
class SlowConnection {
  readonly ended: Promise<{ way: string; text: string; isGivenUp: boolean; afterMs: number }>;

  constructor(url: string, { name, begin, more }: Way, reads = true) {
    const { hostname, port } = new URL(url);
    const began = performance.now();
    const socket = connect(Number(port), hostname);
    if (begin !== '') socket.write(begin);
    const timer = setInterval(() => more !== '' && socket.writable && socket.write(more), MORE_EVERY_MS);
    let isGivenUp = true;
    const bound = setTimeout(() => {
      isGivenUp = false;
      socket.destroy();
    }, MAX_MS);
    const text: string[] = [];
    if (reads) socket.on('data', (chunk) => text.push(chunk.toString()));
    else socket.pause();
    // An abrupt end counts as an end
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(timer);
        clearTimeout(bound);
        resolve({ way: name, text: text.join(''), isGivenUp, afterMs: performance.now() - began });
      });
    });
  }
}

/** Issues and verifies a key, like other clients. @returns the milliseconds of the slower of the two */
async function issueAndVerify(): Promise<number> {
  const began = performance.now();
  const key = await issueKey(service.client, 'ann');
  const issued = performance.now();
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  return Math.max(issued - began, performance.now() - issued);
}

function openFiles(): Promise<number> {
  return metricOf(service.client, 'process_open_fds');
}
