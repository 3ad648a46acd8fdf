import type { Answer } from './client.js';

/** What was answered, as a test names it: the status, and the error's code where there is one. */
export function outcomeOf({ status, body }: Answer): string {
  return body?.error ? `${status} ${body.error.code}` : String(status);
}

/** The paths that a refusal names. */
export function pathsOf({ body }: Answer): string[] {
  return body.error.details.map(({ path }: { path: string }) => path);
}
