import type { IncomingMessage } from 'node:http';
import type { Networks } from '@w3ipfs/api-keys-guard/decision';
import { ClientAddress } from '../http/client-address.js';

/** Where a request comes from; `undefined` if that is not known. */
export type ClientOf = (request: IncomingMessage) => string | undefined;

/** The peer of a Unix socket is on this machine. */
const LOCAL_PEER = { remoteAddress: '127.0.0.1' };

/** As the service finds it, by `TRUSTED_PROXIES`. A peer on the Unix socket counts as 127.0.0.1. */
export function clientOf(trustedProxies: Networks, isUnixSocket: boolean): ClientOf {
  const addresses = new ClientAddress({ trustedProxies });
  return isUnixSocket
    ? ({ headers }) => addresses.of({ headers, socket: LOCAL_PEER })
    : (request) => addresses.of(request);
}
