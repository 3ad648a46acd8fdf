import { InvalidValueError } from './invalid-value.js';
import { redisOptions } from './redis-url.js';

it.each([
  ['redis://127.0.0.1', { host: '127.0.0.1', port: 6379, db: 0, family: 0 }],
  ['redis://[::1]:7000/', { host: '::1', port: 7000, db: 0, family: 0 }],
  ['redis://ann:p%40w@redis/3', { host: 'redis', port: 6379, db: 3, username: 'ann', password: 'p@w', family: 0 }],
  ['rediss://:pw@redis:7000', { host: 'redis', port: 7000, db: 0, password: 'pw', tls: {}, family: 0 }],
])('parses %s', (url, expected) => {
  expect(redisOptions(url)).toEqual(expected);
});

it.each([
  ['redis://:hunt#er2@redis', /^has an unencoded #,/],
  ['redis://:hunt%er2@redis', /^has an unencoded %,/],
  ['redis://:hunt@er2@redis', /^has an unencoded @,/],
  ['redis://:hunt/er2@redis', /^has an unencoded \/, \? or @,/],
  ['redis://:hunter2@redis/keys', /^must have a database number/],
  ['redis://:hunter2@redis/1/2', /^must be a URL such as redis:/],
  ['redis://:hunter2@redis/-1', /^must have a database number/],
  ['redis://:hunter2@redis?db=1', /^must have no parameters/],
  ['redis://:hunter2@a:7000,b:7000', /^must name one server/],
  ['redis://:hunter2@redis:port', /^must have a host and optionally a port/],
  ['redis://hunter2@redis', /^has a user but no password/],
  ['redis:///0', /^must have a host/],
  ['redis+sentinel://redis:26379', /^must be a URL such as redis:/],
  ['http://redis:6379', /^must be a URL such as redis:/],
  ['127.0.0.1:6379', /^must be a URL such as redis:/],
])('rejects %s with the reason, and quotes no part of the password', (url, expected) => {
  const read = () => redisOptions(url);
  expect(read).toThrow(InvalidValueError);
  expect(read).toThrow(expected);
  expect(read).not.toThrow(/hunt|er2/);
});
