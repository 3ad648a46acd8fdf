import { readableAddress, requirement } from './client-address.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1'],
  [' 192.0.2.1:1234', '192.0.2.1'],
  ['"[2001:db8::1]:80"', '2001:db8::1'],
])('reads the address %j', (text, address) => {
  expect(readableAddress(text)).toBe(address);
});

it.each([undefined, '', 'unknown', '192.0.2.1, 192.0.2.2', '<script>'])('counts %j as unknown', (text) => {
  expect(readableAddress(text)).toBeUndefined();
});

it('leaves out what is not needed or not known', () => {
  expect(requirement('pinning.unpin', undefined)).toEqual({ scope: 'pinning.unpin' });
  expect(requirement(['pinning.unpin'], '::1')).toEqual({ scope: ['pinning.unpin'], ip: '::1' });
  expect([requirement([], undefined), requirement([], '::1')]).toEqual([{}, { ip: '::1' }]);
});
