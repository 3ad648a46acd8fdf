import { ValidationError } from './api-error.js';

/**
 * Refuses the parameters in the query of a URL: all of them, for a route that takes none, or some by their names.
 *
 * @throws ValidationError naming each that is there
 */
export function refuseQuery(url = '', isRefused: (name: string) => boolean = () => true): void {
  const at = url.indexOf('?');
  if (at < 0) return;
  const names = [...new Set(new URLSearchParams(url.slice(at)).keys())].filter(isRefused);
  if (names.length === 0) return;
  throw new ValidationError(names.map((path) => ({ path, message: 'is not a known parameter' })));
}
