import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { formatAddress, parseForwardedAddress } from '../decision/index.js';
import type { Required } from '../types.js';

/** Finds the address of a request's client; behind proxies, the one that they report. */
export type ClientAddress<Request> = (request: Request) => string | undefined;

/** The address of the other end of the connection: of the client, unless it comes through a proxy. */
export function socketAddress({ socket }: Pick<IncomingMessage, 'socket'>): string | undefined {
  return socket.remoteAddress;
}

/**
 * What a request from this address needs; no scopes: any valid key. An address that can't be read, which a client may have made up, counts as
 * unknown: keys that are bound to networks are refused.
 */
export function requirement(scope: string | readonly string[], address: string | undefined): Required {
  const ip = address === undefined ? undefined : readableAddress(address);
  if (scope.length === 0) return ip === undefined ? {} : { ip };
  return ip === undefined ? { scope } : { scope, ip };
}

function readableAddress(text: string): string | undefined {
  // Far cheaper than reading it, which the guard will do
  if (isIP(text) !== 0) return text;
  const address = parseForwardedAddress(text.trim());
  return address && formatAddress(address);
}
