import { type Address, parseAddress } from './ip-address.js';

/** A port, or what stands for one (RFC 7239, 6). */
const PORT = String.raw`(?::(?:\d{1,5}|_[\w.-]+))?`;
const IPV4 = new RegExp(String.raw`^([\d.]+)${PORT}$`);
const IN_BRACKETS = new RegExp(String.raw`^\[([\da-f:.]+)(?:%[^\]]*)?\]${PORT}$`, 'i');
/** A zone says which interface of a machine is meant, and nothing of the address (RFC 4007, 11). */
const PERHAPS_ZONED = /^([\da-f:.]+)(?:%.*)?$/i;
const QUOTED = /^"([^"]*)"$/;

/**
 * Reads an address as sockets have it and proxies write it: `192.0.2.1` or `2001:db8::1`; IPv6 perhaps with a zone, and
 * in brackets; either with a port; all of that perhaps in quotes (Azure's gateways; the nodes of RFC 7239). `undefined`
 * for whatever else there is: `unknown`, a name, half of an address.
 */
export function parseForwardedAddress(text: string): Address | undefined {
  const node = QUOTED.exec(text)?.[1] ?? text;
  const ipv4 = IPV4.exec(node)?.[1];
  if (ipv4 !== undefined) return parseAddress(ipv4);
  const ipv6 = (IN_BRACKETS.exec(node) ?? PERHAPS_ZONED.exec(node))?.[1];
  return ipv6?.includes(':') ? parseAddress(ipv6) : undefined;
}
