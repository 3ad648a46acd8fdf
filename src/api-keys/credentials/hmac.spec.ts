import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Hmac } from './hmac.js';

it('computes the same as Node, for every key and message that it accepts', () => {
  const keys = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
  const ascii = (length: number) => fc.string({ unit: 'binary-ascii', minLength: length, maxLength: length });
  const messages = fc.nat(150).chain((length) => fc.array(ascii(length), { minLength: 1 }));
  fc.assert(
    fc.property(keys, messages, (key, all) => {
      const hmac = new Hmac(key, all[0]?.length ?? 0);
      for (const message of all)
        expect(hmac.digest(message)).toEqual(createHmac('sha256', key).update(message).digest());
    }),
  );
});

it('rejects keys and messages for which it would be wrong', () => {
  expect(() => new Hmac(Buffer.alloc(65), 1)).toThrow(RangeError);
  for (const message of ['', 'ab']) expect(() => new Hmac(Buffer.alloc(32), 1).digest(message)).toThrow(RangeError);
});
