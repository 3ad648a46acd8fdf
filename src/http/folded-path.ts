/** A path without what the router ignores: its case, and a slash at its end. */
export function foldedPath(path: string): string {
  return path.toLowerCase().replace(/\/$/, '');
}
