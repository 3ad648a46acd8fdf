import { range } from './support/at-once.js';
import { RawConnection } from './support/connection.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { issueKey, powerlessBody } from './support/keys.js';
import { metricOf } from './support/metrics.js';
import { type ServiceProcess, startProcess } from './support/process.js';
import { accountService, sessionOf } from './support/sessions.js';
import { until } from './support/until.js';
import { pairOf, serviceHeaders, serviceVariables, verify } from './support/verification.js';

const MIB = 1_048_576;
const SHARE = 2 * MIB;
const CONNECTIONS = 2_000;
const LENGTH = 60_000;
const EVE = '127.0.0.66';

let database: TestDatabase;
let service: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startProcess({
    ...database.variables,
    ...serviceVariables,
    JWT_PUBLIC_KEY: accountService.publicKey,
  });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const bufferedBy = (sender: string) =>
  metricOf(service.client, `w3ipfs_keys_unfinished_body_bytes{sender="${sender}"}`);
const givenUp = () => metricOf(service.client, 'w3ipfs_keys_unfinished_bodies_given_up_total{sender="clients"}');

function begin(path: string, length: number, headers = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${length}\r\n\r\n`;
}

it(`buffers no more than ${SHARE} bytes for ${CONNECTIONS} unfinished bodies of one address, and serves others`, async () => {
  const slow: RawConnection[] = [];
  const ways = [
    begin('/api/apiKeys/report-leak', LENGTH + 1),
    begin('/api/apiKeys', LENGTH + 1, `Authorization: ${sessionOf('eve').authorization}\r\n`),
  ];
  let most = 0;
  const key = await issueKey(service.client, 'ann', powerlessBody);
  for (const index of range(CONNECTIONS)) {
    const connection = new RawConnection(service.client.url, EVE);
    slow.push(connection);
    await connection.write(`${ways[index % ways.length]}${' '.repeat(LENGTH)}`);
    if (index % 100 < 99) continue;
    most = Math.max(most, await bufferedBy('clients'));
    expect((await verify(service.client, key)).body.data.code).toBe('VALID');
    await issueKey(service.client, 'ann', powerlessBody);
  }
  // Others of the same address are served if their bodies arrive at once
  const other = new RawConnection(service.client.url, EVE);
  const body = JSON.stringify({ api_key: 'x', secret_key: 'y' });
  await other.write(`${begin('/api/apiKeys/report-leak', body.length)}${body}`);
  expect(await other.answers(1)).toEqual([200]);
  other.destroy();
  // And services too, even if theirs do not
  const batch = new RawConnection(service.client.url, EVE);
  const asked = JSON.stringify(pairOf(key)).padEnd(LENGTH);
  await batch.write(
    `${begin('/api/apiKeys/verify', asked.length, `Authorization: ${serviceHeaders.authorization}\r\n`)}${asked.slice(0, -1)}`,
  );
  await until(async () => (await bufferedBy('services')) > 0, 'the body of the service to be buffered');
  expect(await bufferedBy('services')).toBeLessThanOrEqual(2 * LENGTH);
  await batch.write(' ');
  expect(await batch.answers(1)).toEqual([200]);
  batch.destroy();

  await until(async () => (await givenUp()) >= CONNECTIONS - SHARE / LENGTH, 'the oldest to have given way');
  most = Math.max(most, await bufferedBy('clients'));
  process.stdout.write(`at most ${most} bytes were buffered\n`);
  expect(most).toBeGreaterThan(SHARE / 2);
  expect(most).toBeLessThanOrEqual(SHARE);
  const refused = slow.filter(({ text }) => text !== '');
  for (const { text } of refused) expect(text).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/i);
  await until(
    () => slow.filter(({ isClosed }) => isClosed).length >= CONNECTIONS - SHARE / LENGTH,
    'their connections',
  );
  for (const connection of slow) connection.destroy();
  await until(async () => (await bufferedBy('clients')) === 0, 'the buffers to be empty');
});
