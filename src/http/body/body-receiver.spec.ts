import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors/api-error.js';
import { BodyReceiver } from './body-receiver.js';
import { type BodyBounds, ORDINARY_BOUNDS } from './body-bounds.js';
import { UnfinishedBodies } from './unfinished-bodies.js';

/** The parts of Node's request that a receiver uses. */
class FakeRequest extends EventEmitter {
  constructor(readonly headers: Record<string, string>) {
    super();
  }
}

function receiveOf(headers: Record<string, string>, unfinished = new UnfinishedBodies(1_000_000), bounds?: BodyBounds) {
  const request = new FakeRequest(headers);
  const results: { cause: unknown; body: string | undefined }[] = [];
  const receiver = new BodyReceiver(
    request as unknown as IncomingMessage,
    unfinished,
    () => 'ann',
    (cause, body) => results.push({ cause, body: body?.toString() }),
    bounds,
  );
  receiver.receive();
  return { request, unfinished, results };
}

const BODY_LIMIT = ORDINARY_BOUNDS.bytes;
const CHUNKED = { 'transfer-encoding': 'chunked' };

it('passes on a body in a single chunk without counting it', () => {
  const { request, unfinished, results } = receiveOf({ 'content-length': '4' });
  request.emit('data', Buffer.from('{}  '));
  expect(unfinished.bytes).toBe(0);
  request.emit('end');
  expect(results).toEqual([{ cause: undefined, body: '{}  ' }]);
});

it.each([
  ['of known length', { 'content-length': '26' }],
  ['chunked', CHUNKED],
])(
  'joins the chunks of a body %s, and counts their memory until it is complete',
  (_, headers: Record<string, string>) => {
    const { request, unfinished, results } = receiveOf(headers);
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
    const last = letters.pop() as string;
    for (const [index, letter] of letters.entries()) {
      request.emit('data', Buffer.from(letter));
      expect(unfinished.bytes).toBeGreaterThan(index);
      expect(unfinished.bytes).toBeLessThanOrEqual(2 * (index + 1));
    }
    request.emit('data', Buffer.from(last));
    request.emit('end');
    expect(results).toEqual([{ cause: undefined, body: letters.join('') + last }]);
    expect(unfinished.bytes).toBe(0);
  },
);

it('allocates nothing for bytes that are only announced', () => {
  const { request, unfinished } = receiveOf({ 'content-length': String(BODY_LIMIT) });
  request.emit('data', Buffer.from('{'));
  expect(unfinished.bytes).toBe(1);
});

it.each([
  ['over the limit', [BODY_LIMIT / 2, BODY_LIMIT / 2, 1], 'payload_too_large'],
  ['in very many chunks', Array<number>(2_049).fill(1), 'validation_failed'],
])('rejects a body %s, and closes the connection', (_, sizes, code) => {
  const { request, unfinished, results } = receiveOf(CHUNKED);
  for (const size of sizes) request.emit('data', Buffer.alloc(size));
  request.emit('end');
  expect(results).toHaveLength(1);
  expect(results[0]?.cause).toMatchObject({ code, headers: { Connection: 'close' } });
  expect(unfinished.bytes).toBe(0);
});

it('has another limit if the route says so', () => {
  const receive = (sizes: number[]) => {
    const bounds = { bytes: 4 * BODY_LIMIT, members: 1 };
    const { request, results } = receiveOf(CHUNKED, new UnfinishedBodies(10 * BODY_LIMIT), bounds);
    for (const size of sizes) request.emit('data', Buffer.alloc(size, ' '));
    request.emit('end');
    return results[0];
  };
  expect(receive([BODY_LIMIT, 3 * BODY_LIMIT])?.body).toHaveLength(4 * BODY_LIMIT);
  expect(receive([BODY_LIMIT, 3 * BODY_LIMIT, 1])?.cause).toMatchObject({
    code: 'payload_too_large',
    message: 'The body is larger than 256 KiB.',
  });
});

it('asks the sender of an evicted body to try again', () => {
  const unfinished = new UnfinishedBodies(10);
  const first = receiveOf(CHUNKED, unfinished);
  first.request.emit('data', Buffer.alloc(8));
  const second = receiveOf(CHUNKED, unfinished);
  second.request.emit('data', Buffer.alloc(8));
  expect(first.results[0]?.cause).toBeInstanceOf(ApiError);
  expect(first.results[0]?.cause).toMatchObject({
    code: 'unavailable',
    headers: { 'Retry-After': '1', Connection: 'close' },
  });
  second.request.emit('end');
  expect(second.results).toHaveLength(1);
  expect(unfinished.bytes).toBe(0);
});

it('reports once that a connection closed before its body was complete', () => {
  const { request, unfinished, results } = receiveOf(CHUNKED);
  request.emit('data', Buffer.alloc(8));
  const cause = new Error('aborted');
  for (const event of ['error', 'error', 'end']) request.emit(event, cause);
  expect(results).toEqual([{ cause, body: undefined }]);
  expect(unfinished.bytes).toBe(0);
});
