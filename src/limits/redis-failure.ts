/** What the client says where it is not its user who can do anything about it. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^Protocol error/, 'what answers there is not Redis'],
  [/^Reached the max retries per request/, 'the connection was closed; is it Redis?'],
  [/^connect ETIMEDOUT$/, 'no answer; is it Redis, and TLS only where the URL says rediss?'],
];

/** Why a server cannot be used, without the full stop that most replies of Redis end with. */
export function whyAway({ message }: Error): string {
  return TEXTS.find(([text]) => text.test(message))?.[1] ?? message.replace(/\.+$/, '');
}
