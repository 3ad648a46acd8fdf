import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';

/** The origin of a request. */
export interface RequestOrigin {
  /** The client's address; `undefined` if unknown. */
  address: string | undefined;
  /** Whether the peer is one of `TRUSTED_PROXIES`, whose `X-Forwarded-Proto` is trusted. */
  isProxied: boolean;
}

/** The methods of RFC 9110 and RFC 5789; others become `_OTHER`, so that clients cannot create values. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
const DEFAULT_PORTS = { http: 80, https: 443 };

function methodName(method = ''): string {
  return METHODS.has(method) ? method : '_OTHER';
}

/** The name of a span, by route, since paths have a high cardinality. */
export function spanName(method: string, route?: string): string {
  const name = methodName(method);
  const verb = name === '_OTHER' ? 'HTTP' : name;
  return route === undefined ? verb : `${verb} ${route}`;
}

/**
 * The attributes of a request before its answer, by OpenTelemetry's conventions for HTTP servers. Omits `url.query`,
 * which may contain secrets.
 */
export function requestAttributes(request: IncomingMessage, { address, isProxied }: RequestOrigin): Attributes {
  const { method = '', url = '', headers, httpVersion, socket } = request;
  const name = methodName(method);
  const scheme = isProxied && headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(headers.host ?? '') ?? [];
  return defined({
    'http.request.method': name,
    'http.request.method_original': name === method ? undefined : method,
    'url.path': url.split('?', 1)[0],
    'url.scheme': scheme,
    'server.address': host || undefined,
    'server.port': host ? Number(port ?? DEFAULT_PORTS[scheme]) : undefined,
    'client.address': address,
    'network.peer.address': socket.remoteAddress,
    'network.peer.port': socket.remotePort,
    'network.protocol.version': httpVersion,
    'user_agent.original': headers['user-agent'],
  });
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
