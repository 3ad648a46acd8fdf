/** What the service answered, taken out of its envelope. */
export interface Answer {
  readonly status: number;
  /** With a status below 300. */
  readonly data: unknown;
  /** With a status of 400 or more. */
  readonly error: ServiceError | undefined;
  /** From the header `Retry-After`; at least 1. */
  readonly retryAfterSeconds: number;
}

interface ServiceError {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { path: string; message: string }[];
}

/** The service did not answer: nothing is there, or something in front of it answered in its place. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Statuses that mean what they say, even if something in front of the service answers with them. */
const SELF_EXPLANATORY = new Set([401, 410]);

/** @throws NoAnswerError if it is not an answer of the service */
export function readAnswer(status: number, retryAfter: string | undefined, text: string): Answer {
  const envelope = parse(text);
  const { status: outcome, data, error } = envelope ?? {};
  const isAnswer = (outcome === 'success' && status < 300) || (outcome === 'error' && status >= 400);
  if (!isAnswer && !SELF_EXPLANATORY.has(status))
    throw new NoAnswerError(`HTTP ${status} came from something in front of the service, not from the service`);
  const seconds = Math.ceil(Number(retryAfter ?? 1));
  return { status, data, error: error as ServiceError | undefined, retryAfterSeconds: Math.max(1, seconds || 1) };
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
