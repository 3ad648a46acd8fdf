import { ValidationError } from './api-error.js';

/** For a route that takes no parameters in its query. @throws ValidationError naming those that are there */
export function refuseQuery(url = ''): void {
  const at = url.indexOf('?');
  if (at < 0) return;
  const names = new Set(new URLSearchParams(url.slice(at)).keys());
  if (names.size === 0) return;
  throw new ValidationError([...names].map((path) => ({ path, message: 'is not a known parameter' })));
}
