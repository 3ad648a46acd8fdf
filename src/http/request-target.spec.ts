import { originForm } from './request-target.js';

it.each([
  ['/api/x?y=1', '/api/x?y=1'],
  ['http://host/api/x?y=1', '/api/x?y=1'],
  ['HTTPS://User:word@[::1]:8443/x', '/x'],
  ['http://host', '/'],
  ['http://host?y=/z', '/?y=/z'],
  ['http://host/http://other/x', '/http://other/x'],
  ['http:///x', '/x'],
  ['/http://host/x', '/http://host/x'],
  ['//host/x', '//host/x'],
  ['*', '/*'],
  ['*api/x', '/*api/x'],
  ['ftp://host/x', '/ftp://host/x'],
  ['', '/'],
])('extracts the path and the query of %s', (target, expected) => {
  expect(originForm(target)).toBe(expected);
});
