import { range } from './support/at-once.js';
import { RawConnection } from './support/connection.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { serviceHeaders } from './support/verification.js';

/** The number of requests that may wait behind the current one. */
const MAX_WAITING = 32;
/** The bytes that Node reads at once. */
const ONE_READ = 64 * 1_024;
const MIB = 1_048_576;

let database: TestDatabase;
let service: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startProcess({ ...sharedVariables, ...database.variables, CORS_ORIGINS: 'https://app.example.com' });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const requestOf = (line: string, headers = '') => `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
const get = (path: string) => requestOf(`GET ${path}`);
const PREFLIGHT = 'Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n';
const AUTHORIZED = `Authorization: ${serviceHeaders.authorization}\r\n`;
const memory = () => metricOf(service.client, 'process_resident_memory_bytes');

it('answers the requests of a connection in order, whichever path each takes', async () => {
  const connection = new RawConnection(service.client.url);
  const body = '{"api_key":"w3k_x","secret_key":"w3s_x"}';
  const length = `${AUTHORIZED}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const verify = requestOf('POST /api/apiKeys/verify', length) + body;
  const requests = [
    get('/health/live'),
    verify,
    get('/nothing'),
    get('/api/apiKeys/list'),
    get('/api/apiKeys/authorize'),
  ];
  await connection.write(
    range(6)
      .map(() => requests.join(''))
      .join(''),
  );
  expect(await connection.answers(30)).toEqual(range(6).flatMap(() => [200, 200, 404, 401, 400]));
  connection.destroy();
});

it('keeps reading from a connection as its requests are answered', async () => {
  const connection = new RawConnection(service.client.url);
  for (const round of range(5)) {
    await connection.write(get('/health/live').repeat(MAX_WAITING));
    expect(await connection.answers((round + 1) * MAX_WAITING)).toEqual(
      range((round + 1) * MAX_WAITING).map(() => 200),
    );
  }
  connection.destroy();
});

it.each([
  ['health', get('/health/live')],
  ['no route', get('/n')],
  ['the document', get('/openapi.json')],
  ['the documentation', get('/docs')],
  ['preflights', requestOf('OPTIONS /api/apiKeys', PREFLIGHT)],
  ['keys', get('/api/apiKeys/list')],
  ['authorize', get('/api/apiKeys/authorize')],
])('closes a connection that sends more at once, and buffers little of it: %s', async (_, request) => {
  const before = await memory();
  const all = range(5).map(() => new RawConnection(service.client.url));
  for (const connection of all) {
    await connection.write(request.repeat(Math.floor(ONE_READ / request.length)));
    const answered = await connection.answers(MAX_WAITING + 2);
    expect([connection.isClosed, answered.length <= MAX_WAITING + 1]).toEqual([true, true]);
  }
  expect((await service.client.get('/health/live')).status).toBe(200);
  expect((await memory()) - before).toBeLessThan(64 * MIB);
});
