import { readListenAddress, readServiceAddress } from './addresses.js';

it.each([
  ['127.0.0.1:8010', { host: '127.0.0.1', port: 8010 }],
  ['127.8.9.10:0', { host: '127.8.9.10', port: 0 }],
  ['[::1]:65535', { host: '::1', port: 65535 }],
  ['unix:/run/guard.sock', { path: '/run/guard.sock' }],
])('listens on %s', (text, address) => {
  expect(readListenAddress(text)).toEqual(address);
});

it.each([
  '8010',
  '127.0.0.1',
  '127.0.0.1:65536',
  '127.0.0.256:80',
  '0.0.0.0:80',
  '128.0.0.1:80',
  '[::]:80',
  '[::ffff:10.0.0.1]:80',
  'example.org:80',
  'unix:guard.sock',
  'unix:/run/',
  `unix:/${'a'.repeat(107)}`,
])('does not listen on %s', (text) => {
  expect(() => readListenAddress(text)).toThrow(/^must /);
});

it.each([
  ['http://keys:8000', { isSecure: false, authority: 'keys:8000', target: { host: 'keys', port: '8000' }, prefix: '' }],
  ['https://[::1]/w/', { isSecure: true, authority: '[::1]', target: { host: '::1', port: '' }, prefix: '/w' }],
  ['unix:/k.sock', { isSecure: false, authority: 'localhost', target: { socketPath: '/k.sock' }, prefix: '' }],
])('finds the service at %s', (url, address) => {
  expect(readServiceAddress(url)).toEqual({ url, ...address });
});

it.each(['keys:8000', 'ftp://keys', 'http://u@keys', 'http://:p@keys', 'http://keys/?a', 'http://keys/#a', 'unix:k'])(
  'does not take %s for the address of the service',
  (url) => {
    expect(() => readServiceAddress(url)).toThrow(/^must /);
  },
);
