import { connect, type Socket } from 'node:net';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, startProcess } from './support/process.js';
import { accountService } from './support/sessions.js';
import { until } from './support/until.js';
import { serviceVariables, verify } from './support/verification.js';

const CONNECTIONS = 500;
/** What a request may take (10 s), how often the service looks (1 s), and slack for a busy machine. */
const LONGEST_MS = 10_000 + 1_000 + 5_000;
const SERVED_WITHIN_MS = 3_000;
const BYTE_EVERY_MS = 500;

const head = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 400\r\n`;
/** What is sent at once; the rest comes a byte at a time, but for those who send nothing. */
const WAYS = [
  { name: 'headers', begin: 'POST /api/apiKeys HTTP/1.1\r\n', more: 'X' },
  { name: 'a body', begin: `${head('/api/apiKeys/report-leak')}\r\n`, more: ' ' },
  { name: 'a body of the direct lane', begin: `${head('/api/apiKeys/verify')}\r\n`, more: ' ' },
  { name: 'nothing', begin: '', more: '' },
] as const;

let database: TestDatabase;
let service: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  const variables = { ...database.variables, ...serviceVariables, JWT_PUBLIC_KEY: accountService.publicKey };
  service = await startProcess(variables);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

it(`serves others beside ${CONNECTIONS} connections that send a byte at a time, and ends these in time`, async () => {
  await useService();
  const before = await openFiles();
  const slow = range(CONNECTIONS).map((index) => new SlowConnection(service.client.url, WAYS[index % WAYS.length]!));
  let worst = 0;
  const allEnded = Promise.all(slow.map(({ ended }) => ended));
  const over = new AbortController();
  void allEnded.then(() => over.abort());
  await until(async () => (await openFiles()) >= before + CONNECTIONS, 'all slow connections');
  while (!over.signal.aborted) worst = Math.max(worst, await useService());
  const outcomes = await allEnded;
  expect(worst).toBeLessThan(SERVED_WITHIN_MS);
  expect(Math.max(...outcomes.map(({ afterMs }) => afterMs))).toBeLessThan(LONGEST_MS);
  for (const { way, text } of outcomes) expect(`${way}: ${text.slice(0, 12)}`).toBe(`${way}: HTTP/1.1 408`);
  await until(async () => (await openFiles()) <= before + 5, 'the end of their connections in the service');
  process.stdout.write(`slowest answer to others: ${Math.round(worst)} ms\n`);
}, 60_000);

it('ends a connection whose client asks for more and more and reads nothing', async () => {
  const { hostname, port } = new URL(service.client.url);
  const socket = connect(Number(port), hostname).pause();
  const began = performance.now();
  const ended = new Promise((resolve) => socket.on('close', resolve));
  // Abruptly, under its hands
  socket.on('error', () => undefined);
  const isFull = () => socket.writableLength > 1_000_000;
  while (!isFull()) {
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`a client that reads nothing was given up after ${seconds.toFixed(0)} s\n`);
  expect(await useService()).toBeLessThan(SERVED_WITHIN_MS);
}, 90_000);

/** Sends as it is told to, until the service has had enough or the bound is long past. */
class SlowConnection {
  readonly ended: Promise<{ way: string; text: string; afterMs: number }>;

  constructor(url: string, { name, begin, more }: (typeof WAYS)[number]) {
    const { hostname, port } = new URL(url);
    const began = performance.now();
    const socket = connect(Number(port), hostname);
    if (begin !== '') socket.write(begin);
    const stop = sendSlowly(socket, more);
    const text: string[] = [];
    socket.on('data', (chunk) => text.push(chunk.toString()));
    // An end is an end, however abrupt
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      socket.on('close', () => {
        stop();
        resolve({ way: name, text: text.join(''), afterMs: performance.now() - began });
      });
    });
  }
}

function sendSlowly(socket: Socket, more: string): () => void {
  const timer = setInterval(() => more !== '' && socket.writable && socket.write(more), BYTE_EVERY_MS);
  const bound = setTimeout(() => socket.destroy(), 2 * LONGEST_MS);
  return () => {
    clearInterval(timer);
    clearTimeout(bound);
  };
}

/** Issues a key and has it verified, as others do. @returns the milliseconds of the slower of the two */
async function useService(): Promise<number> {
  const began = performance.now();
  const key = await issueKey(service.client, 'ann');
  const issued = performance.now();
  expect((await verify(service.client, key)).body.data.code).toBe('VALID');
  return Math.max(issued - began, performance.now() - issued);
}

function openFiles(): Promise<number> {
  return metricOf(service.client, 'process_open_fds');
}
