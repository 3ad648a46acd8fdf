import type { Scope } from '../principals/scopes.js';

/** What a route of the platform needs: a scope, any valid credentials (`any`), or nothing (`public`). */
export type RouteScope = Scope | 'any' | 'public';

/** A route of the platform. */
export interface Route {
  /** Case-sensitive (RFC 9110, 9.1). */
  method: string;
  /** Segments are literals or parameters (`:id`); the last may be `*`, which matches one or more segments. */
  path: string;
  scope: RouteScope;
}

/** Why a request is denied to everyone: its path is not plain, or it is uncertain which request it is. */
export type Closed = 'not-plain' | 'uncertain';

/** What a request needs: all of these scopes, possibly none; no credentials (`public`); or it is denied to everyone. */
export type Access = readonly Scope[] | 'public' | Closed;

/** The routes of the platform that scopes guard. */
export const BUILT_IN_ROUTES = [
  { method: 'POST', path: '/api/pinning', scope: 'pinning.pin_file_to_ipfs' },
  { method: 'POST', path: '/api/pinning/pinByHash', scope: 'pinning.pin_by_hash' },
  { method: 'DELETE', path: '/api/pinning/unpin/:pinId', scope: 'pinning.unpin' },
  { method: 'GET', path: '/api/pinning/pins', scope: 'data.pin_list' },
  { method: 'GET', path: '/api/pinning/:pinId', scope: 'data.pin_list' },
  { method: 'POST', path: '/api/nft', scope: 'pin_nft.pin_nft_to_ipfs' },
  { method: 'DELETE', path: '/api/nft/unpin/:nftId', scope: 'pin_nft.unpin_nft' },
  { method: 'GET', path: '/api/nft/nfts', scope: 'data.nft_list' },
  { method: 'GET', path: '/api/nft/:nftId', scope: 'data.nft_list' },
] as const satisfies readonly Route[];

/** Without the query. Ids are UUIDs and content hashes, which are far shorter. */
export const MAX_PATH_LENGTH = 2_048;

/**
 * A path of unreserved characters (RFC 3986, 2.3), in segments that are neither empty nor dots alone, with an optional
 * trailing slash and query. Every server reads these characters alike. Whatever servers read differently is rejected, or
 * the gateway's idea of the route could differ from the platform's: `%2f`, `%2e%2e`, `//`, `\`, `;`, `#`.
 */
const PLAIN_PATH = /^((?:\/\.*[\w~-][\w.~-]*)+|(?=\/))\/?(?:\?[!-~\u0080-\u00ff]*)?$/;

/** What an unlisted route needs: admin keys have access to all endpoints. */
export const UNLISTED: readonly Scope[] = ['admin'];

interface Pattern {
  /** In lower case; `undefined` for a parameter. */
  segments: readonly (string | undefined)[];
  /** Whether further segments follow. */
  isOpen: boolean;
  access: Access;
}

/** Maps a request of the platform to what it needs. Paths are case-insensitive; the first matching route wins. */
export class RouteTable {
  /** By method. */
  private readonly patterns = new Map<string, Pattern[]>();

  constructor(routes: readonly Route[]) {
    for (const { method, path, scope } of routes) {
      const patterns = this.patterns.get(method) ?? [];
      this.patterns.set(method, [...patterns, { ...patternOf(path), access: accessOf(scope) }]);
    }
  }

  /**
   * What a request needs. HEAD needs what GET needs (RFC 9110, 9.3.2), unless the table lists it. A path that is not plain
   * is denied to everyone.
   *
   * @param uri the path as sent, not decoded, optionally with its query
   */
  accessTo(method: string, uri: string): Access {
    const path = PLAIN_PATH.exec(uri)?.[1];
    if (path === undefined || path.length > MAX_PATH_LENGTH) return 'not-plain';
    const segments = segmentsOf(path.toLowerCase());
    const found = this.find(method, segments) ?? (method === 'HEAD' ? this.find('GET', segments) : undefined);
    return found ?? UNLISTED;
  }

  private find(method: string, segments: readonly string[]): Access | undefined {
    return this.patterns.get(method)?.find((pattern) => matches(pattern, segments))?.access;
  }
}

/** Equal for routes that match the same requests. */
export function routeKey({ method, path }: Pick<Route, 'method' | 'path'>): string {
  const { segments, isOpen } = patternOf(path);
  return [method, ...segments.map((segment) => segment ?? ':'), ...(isOpen ? ['*'] : [])].join('/');
}

function patternOf(path: string): Omit<Pattern, 'access'> {
  const segments = segmentsOf(path.toLowerCase());
  const isOpen = segments.at(-1) === '*';
  if (isOpen) segments.pop();
  return { segments: segments.map((segment) => (segment.startsWith(':') ? undefined : segment)), isOpen };
}

/** Without empty segments: `/` has none. */
function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function matches({ segments, isOpen }: Pattern, path: readonly string[]): boolean {
  if (isOpen ? path.length <= segments.length : path.length !== segments.length) return false;
  return segments.every((segment, index) => segment === undefined || segment === path[index]);
}

function accessOf(scope: RouteScope): Access {
  if (scope === 'public') return scope;
  return scope === 'any' ? [] : [scope];
}
