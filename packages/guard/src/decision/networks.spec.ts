import fc from 'fast-check';
import { InvalidNetworkError, Networks, parseNetwork } from './networks.js';
import { parseAddress } from './ip-address.js';

/** The model: an address and a network are numbers of 32 or 128 bits. */
interface Model {
  family: 4 | 6;
  value: bigint;
  prefix: number;
}

const bits = ({ family }: { family: 4 | 6 }) => (family === 4 ? 32 : 128);
const start = (model: Model) => (model.value >> hostBits(model)) << hostBits(model);
const hostBits = (model: Model) => BigInt(bits(model) - model.prefix);
const contains = (network: Model, address: Model) =>
  network.family === address.family && address.value >> hostBits(network) === network.value >> hostBits(network);

function write({ family, value }: Model): string {
  const parts = family === 4 ? 4 : 8;
  const width = BigInt(family === 4 ? 8 : 16);
  const numbers = Array.from(
    { length: parts },
    (_, i) => (value >> (width * BigInt(parts - 1 - i))) & (2n ** width - 1n),
  );
  return family === 4 ? numbers.join('.') : numbers.map((number) => number.toString(16)).join(':');
}

const writeNetwork = (model: Model) => `${write({ ...model, value: start(model) })}/${model.prefix}`;

/** Few bits at either end, so that networks and addresses often match; none in ::ffff:0:0/96. */
const models: fc.Arbitrary<Model> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    high: fc.bigInt(0n, 7n),
    low: fc.bigInt(0n, 0xffffn),
    prefix: fc.nat(128),
  })
  .map(({ family, high, low, prefix }) => ({
    family,
    value: (high << BigInt(bits({ family }) - 3)) | low,
    prefix: prefix % (bits({ family }) + 1),
  }));

it('matches addresses as big-integer arithmetic does', () => {
  fc.assert(
    fc.property(fc.array(models, { maxLength: 8 }), models, (networks, address) => {
      const compiled = new Networks(networks.map((network) => parseNetwork(writeNetwork(network))));
      expect(compiled.includes(write(address))).toBe(networks.some((network) => contains(network, address)));
    }),
    { numRuns: 1_000 },
  );
});

it('matches networks within networks as big-integer arithmetic does', () => {
  const lists = fc.array(models, { maxLength: 4 });
  const compile = (list: Model[]) => new Networks(list.map((network) => parseNetwork(writeNetwork(network))));
  fc.assert(
    fc.property(lists, lists, (inner, outer) => {
      const expected = inner.every((one) => outer.some((other) => other.prefix <= one.prefix && contains(other, one)));
      expect(Networks.within(compile(inner), compile(outer))).toBe(expected);
    }),
    { numRuns: 1_000 },
  );
});

it('suggests the masked network if bits are set after the prefix', () => {
  fc.assert(
    fc.property(models, (model) => {
      fc.pre(model.value !== start(model));
      const meant = parseNetwork(writeNetwork(model)).toString();
      expect(() => parseNetwork(`${write(model)}/${model.prefix}`)).toThrow(`; ${meant} was probably meant`);
    }),
  );
});

it('round-trips networks through text', () => {
  fc.assert(
    fc.property(models, (model) => {
      const text = parseNetwork(writeNetwork(model)).toString();
      expect(parseNetwork(text).toString()).toBe(text);
    }),
  );
});

it.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.1', '192.0.2.1/32'],
  ['2001:DB8:0:0::1', '2001:db8::1/128'],
  ['2001:0db8::/32', '2001:db8::/32'],
  ['::/0', '::/0'],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
  ['::ffff:a00:0/104', '10.0.0.0/8'],
  ['::FFFF:10.1.2.3', '10.1.2.3/32'],
  ['::ffff:0.0.0.0/96', '0.0.0.0/0'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1/128'],
  ['64:ff9b::192.0.2.0/120', '64:ff9b::c000:200/120'],
])('reads %s as %s', (text, network) => {
  expect(parseNetwork(text).toString()).toBe(network);
});

it.each([
  '',
  '/8',
  '10.0.0.0/',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/08',
  '10.0.0.0/8/8',
  '10.0.0.0 /8',
  ' 10.0.0.0/8',
  '10.0.0.0/8\n',
  '10.0.0.0/255.0.0.0',
  '10.1/16',
  '10.1',
  '010.0.0.1',
  '0x7f.0.0.1',
  '0x7f.1',
  '2130706433',
  '256.0.0.0/8',
  '::ffff:010.0.0.1',
  '::ffff:10.0.0.0/95',
  'fe80::1%eth0',
  'fe80::%eth0/64',
  '::/129',
  '1::2::3',
  'localhost',
])('rejects %j', (text) => {
  expect(() => parseNetwork(text)).toThrow(
    new InvalidNetworkError('must be a network such as 192.0.2.0/24 or 2001:db8::/32'),
  );
});

it('treats IPv4-mapped IPv6 as IPv4 only', () => {
  const networks = (text: string) => new Networks([parseNetwork(text)]);
  for (const address of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::FFFF:10.1.2.3',
    '::ffff:a01:203',
    '0:0:0:0:0:ffff:a01:203',
  ]) {
    expect(networks('10.0.0.0/8').includes(address)).toBe(true);
    expect(networks('::/0').includes(address)).toBe(false);
  }
  expect(networks('::/0').includes('::10.1.2.3')).toBe(true);
});

it('finds an invalid address in no network', () => {
  const everything = new Networks([parseNetwork('0.0.0.0/0'), parseNetwork('::/0')]);
  for (const text of ['', 'x', '10.1', '010.0.0.1', '10.0.0.1/32', 'fe80::1%eth0', '10.0.0.1,10.0.0.2']) {
    expect(everything.includes(text)).toBe(false);
    expect(parseAddress(text)).toBeUndefined();
  }
});
