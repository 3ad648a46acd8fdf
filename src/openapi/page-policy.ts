import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

/**
 * The page may load its own files and call this service. Inline styles are allowed by their digests (CSP Level 3); inline
 * scripts are forbidden, and the page has none.
 */
function policyFor(html: string): string {
  const blocks = [...html.matchAll(/<style>([^]*?)<\/style>/g)].map(([, text = '']) => digestOf(text));
  const attributes = [...html.matchAll(/\sstyle="([^"]*)"/g)].map(([, text = '']) => digestOf(text));
  const styles = ["'self'", ...blocks, ...(attributes.length > 0 ? ["'unsafe-hashes'", ...attributes] : [])];
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${[...new Set(styles)].join(' ')}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Other files must not run anything, wherever they are opened. */
const NOT_A_PAGE = "default-src 'none'; frame-ancestors 'none'";

const HEADERS = {
  // For browsers that do not know `frame-ancestors`
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** By page; there are few, the same for everybody. */
const policies = new Map<string, string>();

function protect(_: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void): void {
  // A response to HEAD has no text to read the styles from
  const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
  let policy = isPage ? policies.get(payload) : NOT_A_PAGE;
  if (policy === undefined) policies.set(payload as string, (policy = policyFor(payload as string)));
  reply.headers({ ...HEADERS, 'Content-Security-Policy': policy });
  done();
}

/** Adds to every response of the route a policy that makes browsers block everything foreign to the page. */
export function protectPage(route: RouteOptions): void {
  route.onSend = [route.onSend ?? [], protect].flat() as RouteOptions['onSend'] & object;
}

function digestOf(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`;
}
