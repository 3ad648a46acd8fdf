import type { Scope } from '../api-keys/scopes.js';

/** The routes of the platform that the scopes guard. Of two that fit a path, the first counts. */
export const ROUTE_TABLE = [
  { method: 'POST', path: '/api/pinning', scope: 'pinning.pin_file_to_ipfs' },
  { method: 'POST', path: '/api/pinning/pinByHash', scope: 'pinning.pin_by_hash' },
  { method: 'DELETE', path: '/api/pinning/unpin/:pinId', scope: 'pinning.unpin' },
  { method: 'GET', path: '/api/pinning/pins', scope: 'data.pin_list' },
  { method: 'GET', path: '/api/pinning/:pinId', scope: 'data.pin_list' },
  { method: 'POST', path: '/api/nft', scope: 'pin_nft.pin_nft_to_ipfs' },
  { method: 'DELETE', path: '/api/nft/unpin/:nftId', scope: 'pin_nft.unpin_nft' },
  { method: 'GET', path: '/api/nft/nfts', scope: 'data.nft_list' },
  { method: 'GET', path: '/api/nft/:nftId', scope: 'data.nft_list' },
] as const satisfies readonly { method: string; path: string; scope: Scope }[];

/** Counted without the query. Ids are UUIDs and content hashes, far shorter. */
const LONGEST_PATH = 2_048;

/**
 * A path of RFC 3986's unreserved characters (2.3), in segments that are neither empty nor dots alone,
 * perhaps a slash at its end, perhaps a query. These characters mean the same to every server. What servers
 * read differently is not let through, whoever would read it right: `%2f`, `%2e%2e`, `//`, `\`, `;`, `#`.
 */
const PLAIN_PATH = /^((?:\/\.*[\w~-][\w.~-]*)+)\/?(?:\?[!-~\u0080-\u00ff]*)?$/;

const LITERALS = new Map<string, Scope>();
const PARAMETERS: { prefix: string; scope: Scope }[] = [];
for (const { method, path, scope } of ROUTE_TABLE) {
  const [prefix = '', parameter] = path.split(':');
  if (parameter === undefined) LITERALS.set(`${method} ${path}`, scope);
  else PARAMETERS.push({ prefix: `${method} ${prefix}`, scope });
}

/**
 * The scope that a request of the platform needs; `undefined` if the table lacks its route or the path is
 * not plain, and then nobody may pass.
 *
 * HEAD needs what GET needs: it is the same request, of whose answer less is sent (RFC 9110, 9.3.2).
 *
 * @param method as it was sent: methods are case-sensitive (RFC 9110, 9.1)
 * @param uri the path as it was sent, not decoded, with its query if there is one
 */
export function scopeOfRoute(method: string, uri: string): Scope | undefined {
  const path = PLAIN_PATH.exec(uri)?.[1];
  if (path === undefined || path.length > LONGEST_PATH) return undefined;
  const route = `${method === 'HEAD' ? 'GET' : method} ${path}`;
  return LITERALS.get(route) ?? PARAMETERS.find(({ prefix }) => fits(prefix, route))?.scope;
}

/** Whether the route is the prefix and one segment more. */
function fits(prefix: string, route: string): boolean {
  return route.startsWith(prefix) && !route.includes('/', prefix.length);
}
