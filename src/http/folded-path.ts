/** A path in lower case and without a trailing slash, both of which the router ignores. */
export function foldedPath(path: string): string {
  return path.toLowerCase().replace(/\/$/, '');
}
