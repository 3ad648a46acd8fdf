import type { ErrorDetail } from './api-error.js';

/** The maximum size of an error response. */
export const MAX_ERROR_BYTES = 16_384;

const MAX_DETAILS = 100;
const MAX_PATH_LENGTH = 200;
/** For the message of the error and of each detail, in UTF-16 units; each takes at most six bytes. */
const MAX_MESSAGE_LENGTH = 400;
/** The rest is for the message, the code, the request id and the envelope. */
const MAX_DETAILS_BYTES = MAX_ERROR_BYTES - 4_096;

/** Shortens a message, which may quote the client. */
export function boundedMessage(message: string): string {
  return shortened(message, MAX_MESSAGE_LENGTH);
}

/** The details that fit into a response, with shortened paths; if some are left out, the last one counts them. */
export function boundedDetails(details: readonly ErrorDetail[]): ErrorDetail[] {
  const named: ErrorDetail[] = [];
  let bytes = 0;
  for (const { path, message } of details) {
    const detail = { path: shortened(path, MAX_PATH_LENGTH), message: boundedMessage(message) };
    bytes += Buffer.byteLength(JSON.stringify(detail)) + 1;
    // `jsonProblems()` ends an incomplete list with a line of its own
    const isLastLine = path === '' && named.length === details.length - 1;
    if ((named.length >= MAX_DETAILS && !isLastLine) || named.length > MAX_DETAILS || bytes > MAX_DETAILS_BYTES) {
      named.push({ path: '', message: `and ${details.length - named.length} further problems` });
      break;
    }
    named.push(detail);
  }
  return named;
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  // Do not cut a surrogate pair in two
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
