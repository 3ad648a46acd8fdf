import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { withDatabaseErrors } from './database-failure.js';

/** The greeting of a MySQL server. */
const MYSQL = Buffer.from('\x4a\0\0\0\x0a8.0.36\0'.padEnd(78, '\x01'), 'latin1');

it('reports that the server of DATABASE_URL is not PostgreSQL', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end(MYSQL));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `postgres://u:p@127.0.0.1:${port}/x`;
  const start = withDatabaseErrors(
    { url },
    () => new pg.Client(url).connect(),
    () => {},
  );
  await expect(start).rejects.toThrow(`DATABASE_URL (127.0.0.1:${port}/x): the server there is not PostgreSQL`);
  server.close();
});
