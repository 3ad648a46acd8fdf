import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { range } from './support/at-once.js';
import { createTestDatabase, type TestDatabase } from './support/database.js';
import { type ServiceProcess, sharedVariables, startProcess } from './support/process.js';
import { until } from './support/until.js';

/** How many connections one address may have open. */
const SHARE = 1_000;
const BEYOND = 20;
const GREEDY = '127.0.0.2';
const OTHER = '127.0.0.3';
const PROXY = '127.0.0.4';

let database: TestDatabase;
let service: ServiceProcess;
beforeAll(async () => {
  database = await createTestDatabase();
  service = await startProcess({ ...sharedVariables, ...database.variables, TRUSTED_PROXIES: `${PROXY}/32` });
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

/** Opens idle connections from an address, and counts those that are still open. */
function openFrom(localAddress: string, count: number) {
  const port = Number(new URL(service.client.url).port);
  let connected = 0;
  const sockets = range(count).map((): Socket => {
    const socket = connect({ host: '127.0.0.1', port, localAddress }, () => connected++);
    return socket.on('error', () => {});
  });
  const isOpen = (socket: Socket) => !socket.destroyed && socket.readyState === 'open';
  return {
    sockets,
    open: () => sockets.filter(isOpen).length,
    allConnected: () => until(() => connected === count, 'all to be connected'),
  };
}

const statusFor = (localAddress: string) =>
  new Promise<number | string | undefined>((resolve) => {
    get(`${service.client.url}/health/live`, { localAddress, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
  });

it('closes the connections of an address beyond its share, and serves others', async () => {
  const greedy = openFrom(GREEDY, SHARE + BEYOND);
  for (const socket of greedy.sockets) socket.resume();
  await greedy.allConnected();
  const warning =
    /WARN .*127\.0\.0\.2 has 1000 open connections; further ones are closed\. If it is a proxy, add it to TRUSTED_PROXIES/;
  await until(() => warning.test(service.output()), 'the warning about the excess');
  await until(() => greedy.open() <= SHARE, 'the connections over the share to be closed');
  expect(await statusFor(OTHER)).toBe(200);
  for (const socket of greedy.sockets) socket.destroy();
  await until(async () => (await statusFor(GREEDY)) === 200, 'a place to be free again');
});

it('does not limit a trusted proxy', async () => {
  const proxied = openFrom(PROXY, SHARE + BEYOND);
  await proxied.allConnected();
  expect(await statusFor(PROXY)).toBe(200);
  expect(proxied.open()).toBe(SHARE + BEYOND);
  for (const socket of proxied.sockets) socket.destroy();
});
