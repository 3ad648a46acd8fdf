import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../errors/api-error.js';
import { BodyReceiver } from './body-receiver.js';
import { BODY_LIMIT } from './json-body.js';
import { UnfinishedBodies } from './unfinished-bodies.js';

/** As much of Node's request as a receiver sees. */
class FakeRequest extends EventEmitter {
  constructor(readonly headers: Record<string, string>) {
    super();
  }
}

function receiveOf(headers: Record<string, string>, unfinished = new UnfinishedBodies(1_000_000)) {
  const request = new FakeRequest(headers);
  const told: { cause: unknown; body: string | undefined }[] = [];
  const receiver = new BodyReceiver(
    request as unknown as IncomingMessage,
    unfinished,
    () => 'ann',
    (cause, body) => told.push({ cause, body: body?.toString() }),
  );
  receiver.receive();
  return { request, unfinished, told };
}

const CHUNKED = { 'transfer-encoding': 'chunked' };

it('hands on a body that is there at once, uncounted', () => {
  const { request, unfinished, told } = receiveOf({ 'content-length': '4' });
  request.emit('data', Buffer.from('{}  '));
  expect(unfinished.bytes).toBe(0);
  request.emit('end');
  expect(told).toEqual([{ cause: undefined, body: '{}  ' }]);
});

it.each([
  ['of known length', { 'content-length': '26' }],
  ['chunked', CHUNKED],
])('puts pieces together, %s, and counts what they hold until the end', (_, headers: Record<string, string>) => {
  const { request, unfinished, told } = receiveOf(headers);
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
  const last = letters.pop() as string;
  for (const [index, letter] of letters.entries()) {
    request.emit('data', Buffer.from(letter));
    expect(unfinished.bytes).toBeGreaterThan(index);
    expect(unfinished.bytes).toBeLessThanOrEqual(2 * (index + 1));
  }
  request.emit('data', Buffer.from(last));
  request.emit('end');
  expect(told).toEqual([{ cause: undefined, body: letters.join('') + last }]);
  expect(unfinished.bytes).toBe(0);
});

it('reserves nothing for what is only promised', () => {
  const { request, unfinished } = receiveOf({ 'content-length': String(BODY_LIMIT) });
  request.emit('data', Buffer.from('{'));
  expect(unfinished.bytes).toBe(1);
});

it.each([
  ['over the limit', [BODY_LIMIT / 2, BODY_LIMIT / 2, 1], 'payload_too_large'],
  ['in very many pieces', Array<number>(2_049).fill(1), 'validation_failed'],
])('refuses a body %s, and closes', (_, sizes, code) => {
  const { request, unfinished, told } = receiveOf(CHUNKED);
  for (const size of sizes) request.emit('data', Buffer.alloc(size));
  request.emit('end');
  expect(told).toHaveLength(1);
  expect(told[0]?.cause).toMatchObject({ code, headers: { Connection: 'close' } });
  expect(unfinished.bytes).toBe(0);
});

it('tells a sender whose body has to make room to try again', () => {
  const unfinished = new UnfinishedBodies(10);
  const first = receiveOf(CHUNKED, unfinished);
  first.request.emit('data', Buffer.alloc(8));
  const second = receiveOf(CHUNKED, unfinished);
  second.request.emit('data', Buffer.alloc(8));
  expect(first.told[0]?.cause).toBeInstanceOf(ApiError);
  expect(first.told[0]?.cause).toMatchObject({
    code: 'unavailable',
    headers: { 'Retry-After': '1', Connection: 'close' },
  });
  second.request.emit('end');
  expect(second.told).toHaveLength(1);
  expect(unfinished.bytes).toBe(0);
});

it('tells of a connection that ends before its body, once', () => {
  const { request, unfinished, told } = receiveOf(CHUNKED);
  request.emit('data', Buffer.alloc(8));
  const cause = new Error('aborted');
  for (const event of ['error', 'error', 'end']) request.emit(event, cause);
  expect(told).toEqual([{ cause, body: undefined }]);
  expect(unfinished.bytes).toBe(0);
});
