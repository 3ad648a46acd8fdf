import { ValidationError } from '../errors/api-error.js';

/** The longest valid query has eight. */
const MAX_PARAMETERS = 100;

/**
 * The query parameters of a URL; empty without a query.
 *
 * @throws ValidationError if there are more than 100
 */
export function queryParameters(url = ''): URLSearchParams {
  const at = url.indexOf('?');
  if (at < 0) return new URLSearchParams();
  const query = url.slice(at + 1);
  if (hasMoreThan(MAX_PARAMETERS, query)) {
    throw new ValidationError([
      { path: '', message: `the query must not have more than ${MAX_PARAMETERS} parameters` },
    ]);
  }
  return new URLSearchParams(query);
}

function hasMoreThan(count: number, query: string): boolean {
  let at = -1;
  for (let ampersands = 0; ampersands < count; ampersands++) {
    at = query.indexOf('&', at + 1);
    if (at < 0) return false;
  }
  return true;
}

/**
 * Rejects query parameters of a URL: all of them, or those whose names `isRefused` selects.
 *
 * @throws ValidationError naming each of them
 */
export function refuseQuery(url = '', isRefused: (name: string) => boolean = () => true): void {
  if (!url.includes('?')) return;
  const names = [...new Set(queryParameters(url).keys())].filter(isRefused);
  if (names.length === 0) return;
  throw new ValidationError(names.map((path) => ({ path, message: 'is not a known parameter' })));
}
