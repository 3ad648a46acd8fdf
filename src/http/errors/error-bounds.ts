import type { ErrorDetail } from './api-error.js';

/** No answer to an error is larger. */
export const MAX_ERROR_BYTES = 16_384;

const MAX_DETAILS = 100;
const MAX_PATH_LENGTH = 200;
/** Of the error's own message and of each detail's, in characters, each of which is six bytes at most. */
const MAX_MESSAGE_LENGTH = 400;
/** The rest is for the message, the code, the id of the request and the envelope. */
const MAX_DETAILS_BYTES = MAX_ERROR_BYTES - 4_096;

/** A message that may quote a client, as far as an answer tells it. */
export function boundedMessage(message: string): string {
  return shortened(message, MAX_MESSAGE_LENGTH);
}

/** As many offences as an answer names, each with a path that can be read; the last line says how many there are besides. */
export function boundedDetails(details: readonly ErrorDetail[]): ErrorDetail[] {
  const named: ErrorDetail[] = [];
  let bytes = 0;
  for (const { path, message } of details) {
    const detail = { path: shortened(path, MAX_PATH_LENGTH), message: boundedMessage(message) };
    bytes += Buffer.byteLength(JSON.stringify(detail)) + 1;
    // Whoever has stopped counting says so in a last line of its own
    const isLastLine = path === '' && named.length === details.length - 1;
    if ((named.length >= MAX_DETAILS && !isLastLine) || named.length > MAX_DETAILS || bytes > MAX_DETAILS_BYTES) {
      named.push({ path: '', message: `and ${details.length - named.length} further offences` });
      break;
    }
    named.push(detail);
  }
  return named;
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  // Half a character at the cut would be no text
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
