import { parseForwardedAddress } from './forwarded-address.js';
import { formatAddress } from './ip-address.js';

const read = (text: string) => {
  const address = parseForwardedAddress(text);
  return address && formatAddress(address);
};

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1:0', '192.0.2.1'],
  ['192.0.2.1:65535', '192.0.2.1'],
  ['"192.0.2.1:47011"', '192.0.2.1'],
  ['192.0.2.1:_obfuscated', '192.0.2.1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['::1', '::1'],
  ['[::1]', '::1'],
  ['[::1]:1234', '::1'],
  ['"[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25en0]:80', 'fe80::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['[::ffff:192.0.2.1]:80', '192.0.2.1'],
  ['::ffff:192.0.2.1%1', '192.0.2.1'],
])('reads %s', (text, address) => {
  expect(read(text)).toBe(address);
});

it.each([
  '',
  '""',
  'unknown',
  '_hidden',
  'host.example',
  '192.0.2',
  '192.0.2.256',
  '192.0.2.01',
  '192.0.2.1:',
  '192.0.2.1:655350',
  '192.0.2.1%eth0',
  '[192.0.2.1]',
  '[192.0.2.1]:80',
  '[::1',
  '::1]',
  '[::1]80',
  '[[::1]]',
  '"::1',
  '"":80',
  '2001:db8::1::2',
  'for=192.0.2.1',
])('rejects %j', (text) => {
  expect(read(text)).toBeUndefined();
});

it('rejects long invalid input without slowing down', () => {
  for (const text of [':'.repeat(16_000), `${'1.'.repeat(8_000)}x`, `[${':a'.repeat(8_000)}`, '"'.repeat(16_000)])
    expect(read(text)).toBeUndefined();
});
