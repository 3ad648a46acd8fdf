import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

/**
 * What the page may load and do: its own files, and what it asks of this service. The styles that it has inline are
 * named by their digests (CSP Level 3); it has no such script, and may have none.
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

/** Of what is no page nothing is to be run, wherever it is opened. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

const HEADERS = {
  // For browsers that do not know `frame-ancestors`
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** The pages are few, and the same for everybody. */
const policies = new Map<string, string>();

function protect(_: FastifyRequest, reply: FastifyReply, payload: unknown, done: () => void): void {
  // Of an answer to HEAD there is no text to read the styles from
  const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
  let policy = isPage ? policies.get(payload) : NO_PAGE;
  if (policy === undefined) policies.set(payload as string, (policy = policyFor(payload as string)));
  reply.headers({ ...HEADERS, 'Content-Security-Policy': policy });
  done();
}

/** Sends every answer of the route with a policy by which a browser refuses whatever does not belong to the page. */
export function protectPage(route: RouteOptions): void {
  route.onSend = [route.onSend ?? [], protect].flat() as RouteOptions['onSend'] & object;
}

function digestOf(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`;
}
