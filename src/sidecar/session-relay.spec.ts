import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readServiceAddress } from './addresses.js';
import { SessionRelay } from './session-relay.js';

const HANGING = 'hang';
let service: Server;
let relay: SessionRelay;
beforeAll(async () => {
  service = createServer((request, response) => {
    if (request.url !== `/${HANGING}`) response.writeHead(200, { 'X-W3IPFS-Code': 'VALID' }).end();
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  relay = new SessionRelay(readServiceAddress(`http://127.0.0.1:${(service.address() as AddressInfo).port}`));
});
afterAll(() => {
  relay.close();
  service.closeAllConnections();
  service.close();
});

const ask = (path: string, ip: string) => {
  const raw = { method: 'GET', url: `/${path}`, rawHeaders: [] as string[] } as IncomingMessage;
  return relay.ask({ raw, id: '1' }, ip);
};

it("lets no client's open questions keep out those of others", async () => {
  const floods = Array.from({ length: 600 }, () => ask(HANGING, '192.0.2.1').catch((error: Error) => error));
  expect(await ask('quick', '198.51.100.7')).toMatchObject({ status: 200 });
  const refused = await Promise.race(floods);
  expect(refused).toMatchObject({ message: expect.stringContaining('Too many sessions of this client') as string });
  service.closeAllConnections();
  relay.close();
});
