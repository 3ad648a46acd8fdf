import { requirement } from './client-address.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  [' 192.0.2.1:1234', '192.0.2.1'],
  ['"[2001:db8::1]:80"', '2001:db8::1'],
])('reads the address %j', (text, ip) => {
  expect(requirement('pinning.unpin', text)).toEqual({ scope: 'pinning.unpin', ip });
});

it.each([undefined, '', 'unknown', '192.0.2.1, 192.0.2.2', '<script>'])('counts %j as unknown', (text) => {
  expect(requirement('pinning.unpin', text)).toEqual({ scope: 'pinning.unpin' });
});

it('needs no scope if none is named', () => {
  expect([requirement([], undefined), requirement([], '::1')]).toEqual([{}, { ip: '::1' }]);
});
