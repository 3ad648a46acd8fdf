/** No verdict can be given now. Answer 503 with `Retry-After`, never 401: the credentials may be good. */
export class GuardUnavailableError extends Error {
  override readonly name = 'GuardUnavailableError';

  constructor(
    message: string,
    /** After how many seconds to try again: 1 or more. */
    readonly retryAfterSeconds: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
