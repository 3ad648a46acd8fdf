import { type Address, parseAddress } from './ip-address.js';

/** A port, or an obfuscated one (RFC 7239, 6). */
const PORT = String.raw`(?::(?:\d{1,5}|_[\w.-]+))?`;
const IPV4 = new RegExp(String.raw`^([\d.]+)${PORT}$`);
const BRACKETED_IPV6 = new RegExp(String.raw`^\[([\da-f:.]+)(?:%[^\]]*)?\]${PORT}$`, 'i');
/** A zone selects an interface of one machine and is not part of the address (RFC 4007, 11). */
const BARE_IPV6 = /^([\da-f:.]+)(?:%.*)?$/i;
const QUOTED = /^"([^"]*)"$/;

/**
 * Reads an address in any form that sockets and proxies use: `192.0.2.1` or `2001:db8::1`; IPv6 optionally with a zone
 * and in brackets; either with a port; all of that optionally in quotes (Azure's gateways; the nodes of RFC 7239).
 * Returns `undefined` for anything else, such as `unknown`, a host name or a truncated address.
 */
export function parseForwardedAddress(text: string): Address | undefined {
  const node = QUOTED.exec(text)?.[1] ?? text;
  const ipv4 = IPV4.exec(node)?.[1];
  if (ipv4 !== undefined) return parseAddress(ipv4);
  const ipv6 = (BRACKETED_IPV6.exec(node) ?? BARE_IPV6.exec(node))?.[1];
  return ipv6?.includes(':') ? parseAddress(ipv6) : undefined;
}
