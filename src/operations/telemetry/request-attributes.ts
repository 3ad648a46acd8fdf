import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';

/** Where a request came from. */
export interface RequestOrigin {
  /** The client's address, `undefined` where it is not known. */
  address: string | undefined;
  /** Whether its peer is one of `TRUSTED_PROXIES`, which knows what scheme the client spoke. */
  isProxied: boolean;
}

/** Those that RFC 9110 and RFC 5789 have; any other is `_OTHER`, so that clients make up no values. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
const DEFAULT_PORTS = { http: 80, https: 443 };

function methodName(method = ''): string {
  return METHODS.has(method) ? method : '_OTHER';
}

/** The name of a span: its route is of low cardinality, its path is not. */
export function spanName(method: string, route?: string): string {
  const name = methodName(method);
  const verb = name === '_OTHER' ? 'HTTP' : name;
  return route === undefined ? verb : `${verb} ${route}`;
}

/**
 * What is known of a request before it is answered, by OpenTelemetry's conventions for HTTP servers. There is no
 * `url.query`: gateways and clients put what they like into it, secrets among it.
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
