import type { Answer } from './client.js';

/** The outcome of a request: the status, with the error's code if there is one. */
export function outcomeOf({ status, body }: Answer): string {
  return body?.error ? `${status} ${body.error.code}` : String(status);
}

/** The paths in the details of a refusal. */
export function pathsOf({ body }: Answer): string[] {
  return body.error.details.map(({ path }: { path: string }) => path);
}
