import { z } from 'zod';

const HOW_TO = 'must be origins, comma-separated, each a scheme, a host and perhaps a port: https://app.example.com';
const ANY = '* is not taken: scripts of every site could call with whatever credentials they come by; name the origins';
const OPAQUE = 'null is not taken: every sandboxed frame and local file has that origin; name the origins';

/**
 * The origins (RFC 6454) in a comma-separated text, as browsers write them: in lower case, without the scheme's own port.
 * What is wrong is added to the context.
 */
export function readOrigins(text: string, context: z.RefinementCtx): readonly string[] {
  const origins = new Set<string>();
  for (const entry of text.split(',').map((part) => part.trim())) {
    const origin = originOf(entry);
    if (origin !== undefined) origins.add(origin);
    else context.addIssue(entry === '*' ? ANY : entry === 'null' ? OPAQUE : HOW_TO);
  }
  return [...origins];
}

function originOf(entry: string): string | undefined {
  // Neither a path, of which browsers send none, nor a user
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#@\\*\s]+$/i.test(entry) || !URL.canParse(entry)) return undefined;
  const { origin, protocol, host } = new URL(entry);
  // Of other schemes, such as an app's own, URL tells no origin
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin;
}
