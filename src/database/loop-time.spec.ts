import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterLoopTime } from './loop-time.js';

/** Blocks the event loop, like a stopped process. */
function stall(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const expiry = (milliseconds: number) =>
  new Promise<'expired'>((resolve) => afterLoopTime(milliseconds, () => resolve('expired')));

it('expires after its time', async () => {
  const began = performance.now();
  expect(await expiry(200)).toBe('expired');
  expect(performance.now() - began).toBeGreaterThanOrEqual(200);
});

it('does not count the time in which the loop was stalled', async () => {
  const began = performance.now();
  const expired = expiry(500);
  for (let i = 0; i < 3; i++) {
    stall(400);
    await new Promise(setImmediate);
  }
  await expired;
  expect(performance.now() - began).toBeGreaterThan(1_500);
});

it('lets an answer that arrived during a stall win', async () => {
  const server = createServer((socket) => socket.end('answer')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answered = once(socket, 'data').then(() => 'answered');
  const winner = Promise.race([answered, expiry(100)]);
  stall(1_000);
  expect(await winner).toBe('answered');
  socket.destroy();
  server.close();
});

it('does not call back after it was cancelled', async () => {
  let calls = 0;
  const cancel = afterLoopTime(50, () => calls++);
  cancel();
  await expiry(150);
  expect(calls).toBe(0);
});
