import { readOptions } from './options.js';
import type { GuardOptions } from '../types.js';

const OPTIONS: GuardOptions = { url: 'http://127.0.0.1:8000', token: 'a'.repeat(32) };

it('has defaults', () => {
  expect(readOptions(OPTIONS)).toMatchObject({ staleMs: 0, cacheKeys: 100_000 });
});

it.each<[string, object]>([
  ['http://127.0.0.1:8000', { isSecure: false, hostname: '127.0.0.1', port: '8000', prefix: '' }],
  ['https://keys.example.org/', { isSecure: true, hostname: 'keys.example.org', port: '', prefix: '' }],
  ['https://example.org/keys/', { isSecure: true, hostname: 'example.org', port: '', prefix: '/keys' }],
  ['http://[::1]:8000', { isSecure: false, hostname: '::1', port: '8000', prefix: '' }],
  ['unix:/run/keys.sock', { isSecure: false, socketPath: '/run/keys.sock', prefix: '' }],
])('reads the address %s', (url, address) => {
  expect(readOptions({ ...OPTIONS, url }).address).toEqual(address);
});

it.each<[string, object]>([
  ['url', { url: 'keys.example.org' }],
  ['url', { url: 'ftp://keys.example.org' }],
  ['url', { url: 'unix:keys.sock' }],
  ['url', { url: 'https://user:secret@keys.example.org' }],
  ['url', { url: 'https://keys.example.org/?a=b' }],
  ['url', { url: undefined }],
  ['token', { token: '' }],
  ['token', { token: 'a b' }],
  ['token', { token: 'a\r\nb' }],
  ['token', { token: undefined }],
  ['staleIfErrorSeconds', { staleIfErrorSeconds: -1 }],
  ['staleIfErrorSeconds', { staleIfErrorSeconds: 601 }],
  ['staleIfErrorSeconds', { staleIfErrorSeconds: NaN }],
  ['cacheKeys', { cacheKeys: 0 }],
  ['cacheKeys', { cacheKeys: 1.5 }],
  ['cacheKeys', { cacheKeys: 10_000_001 }],
])('throws a TypeError that names %s for %j', (name, options) => {
  const read = () => readOptions({ ...OPTIONS, ...options });
  expect(read).toThrow(TypeError);
  expect(read).toThrow(new RegExp(`^${name} must`));
});

it('repeats no token in its errors', () => {
  expect(() => readOptions({ ...OPTIONS, token: 'secret token' })).not.toThrow(/secret/);
});
