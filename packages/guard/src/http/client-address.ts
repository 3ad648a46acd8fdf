import type { IncomingMessage } from 'node:http';
import { formatAddress, parseForwardedAddress } from '../decision/index.js';
import type { Required } from '../types.js';

/** Finds the address of a request's client; behind proxies, the one that they report. */
export type ClientAddress<Request> = (request: Request) => string | undefined;

type Connected = Pick<IncomingMessage, 'socket'>;

/**
 * How to find the address of a client: by default, the other end of the connection. An address that can't be read, which
 * a client may have made up, counts as unknown: keys that are bound to networks are refused.
 */
export function addressReader<Request extends Connected>(
  clientAddress: ClientAddress<Request> | undefined,
): ClientAddress<Request> {
  // A socket's address needs no check, which would cost as much as the rest
  return clientAddress ? (request) => readableAddress(clientAddress(request)) : ({ socket }) => socket.remoteAddress;
}

/** The address in the form in which a guard takes it; `undefined` if it is none. */
export function readableAddress(text: string | undefined): string | undefined {
  const address = text === undefined ? undefined : parseForwardedAddress(text.trim());
  return address && formatAddress(address);
}

/** What a request from this address needs; without scopes, any valid key. */
export function requirement(scope: string | readonly string[], ip: string | undefined): Required {
  if (Array.isArray(scope) && scope.length === 0) return ip === undefined ? {} : { ip };
  return ip === undefined ? { scope } : { scope, ip };
}
