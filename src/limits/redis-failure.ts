/** Helpful texts for client messages that do not show the cause. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^Protocol error/, 'the server is not Redis'],
  [/^Reached the max retries per request/, 'the connection was closed; is it Redis?'],
  [/^connect ETIMEDOUT$/, 'no reply; is it Redis, and does it use TLS only if the URL says rediss?'],
];

/** The reason why a server cannot be used, without the full stop at the end of most Redis replies. */
export function describeOutage({ message }: Error): string {
  return TEXTS.find(([pattern]) => pattern.test(message))?.[1] ?? message.replace(/\.+$/, '');
}
