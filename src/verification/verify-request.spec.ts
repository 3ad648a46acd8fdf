import { readVerifyRequest } from './verify-request.js';

const requestFrom = (ip: string) => readVerifyRequest({ credential: 'a.b', ip }).requirements.ip;

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:443', '192.0.2.7'],
  ['"192.0.2.7:443"', '192.0.2.7'],
  ['2001:DB8::0:1', '2001:db8::1'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
])('takes the address of a client as proxies write it: %s', (written, address) => {
  expect(requestFrom(written)).toBe(address);
});

it.each(['', ' 192.0.2.7', '192.0.2.007', '192.0.2.7, 192.0.2.8', 'unknown', 'localhost'])(
  'refuses what is no address: %j',
  (written) => {
    expect(() => requestFrom(written)).toThrow(
      expect.objectContaining({ details: [{ path: 'ip', message: 'must be an IPv4 or IPv6 address' }] }),
    );
  },
);
