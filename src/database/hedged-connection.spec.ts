import { DatabaseUnavailableError } from './database-unavailable.js';
import type { DedicatedConnection } from './dedicated-connection.js';
import { HedgedConnection } from './hedged-connection.js';

type Answer = { resolve(value: string): void; reject(error: Error): void; isClosed: boolean };

/** Connections whose answers the test controls; closing one fails its work. */
function controlledConnections() {
  const opened: Answer[] = [];
  const create = () => {
    const answer: Answer = { resolve: () => undefined, reject: () => undefined, isClosed: false };
    const run = () => new Promise((resolve, reject) => Object.assign(answer, { resolve, reject }));
    const close = () => {
      answer.isClosed = true;
      answer.reject(new Error('closed'));
    };
    opened.push(answer);
    return { run, close } as unknown as DedicatedConnection;
  };
  return { opened, create };
}

const work = async () => 'read';
const REFUSED = new DatabaseUnavailableError(new Error('connect ECONNREFUSED'));
const turn = () => new Promise((resolve) => setTimeout(resolve, 10));
const until = async (holds: () => boolean) => {
  while (!holds()) await turn();
};

it('reads on one connection while it answers', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 1_000);
  const reading = connection.run(work);
  opened[0]?.resolve('answer');
  expect(await reading).toBe('answer');
  expect([opened.length, connection.isUnavailable]).toEqual([1, false]);
});

it('reports the database unavailable for a while after a refused connection', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 100);
  const reading = connection.run(work);
  opened[0]?.reject(REFUSED);
  await expect(reading).rejects.toBe(REFUSED);
  expect(connection.isUnavailable).toBe(true);
  await until(() => !connection.isUnavailable);
  const later = connection.run(work);
  opened[0]?.resolve('answer');
  expect(await later).toBe('answer');
});

it('does not report it unavailable for a server error of a read', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 1_000);
  const reading = connection.run(work);
  opened[0]?.reject(new Error('canceling statement due to lock timeout'));
  await expect(reading).rejects.toThrow('lock timeout');
  expect(connection.isUnavailable).toBe(false);
});

it('switches to a second connection if the first is silent', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 1_000);
  const reading = connection.run(work);
  await until(() => opened.length === 2);
  opened[1]?.resolve('answer');
  expect(await reading).toBe('answer');
  expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
});

it('accepts a late answer of the first connection if the server rejects the second', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 1_000);
  const reading = connection.run(work);
  await until(() => opened.length === 2);
  opened[1]?.reject(new Error('sorry, too many clients already'));
  await turn();
  opened[0]?.resolve('late');
  expect(await reading).toBe('late');
});

it('reports the database unavailable if both are silent, until one of them or a third answers', async () => {
  const { opened, create } = controlledConnections();
  const connection = new HedgedConnection(create, 1_000);
  await expect(connection.run(work)).rejects.toThrow(DatabaseUnavailableError);
  expect(connection.isUnavailable).toBe(true);
  // Starts a probe on another connection, which no caller awaits
  await expect(connection.run(work)).rejects.toThrow(DatabaseUnavailableError);
  expect(opened.length).toBe(3);
  opened.at(-1)?.resolve('answer');
  await until(() => !connection.isUnavailable);
  const reading = connection.run(work);
  opened.at(-1)?.resolve('answer');
  expect(await reading).toBe('answer');
});
