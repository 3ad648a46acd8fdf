import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { Environment } from '../config/environment.js';
import { parseForwardedAddress, formatAddress, parseAddress } from '@w3ipfs/api-keys-guard/decision';

/** The parts of a request that determine its client's address. */
type AddressedRequest = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } };

type Address = string | undefined;

/** Determines where a request comes from. */
export class ClientAddress {
  /** Peers by socket, in canonical form: one connection carries many requests, and a closed socket has no address. */
  private readonly knownPeers = new WeakMap<AddressedRequest['socket'], { address: Address; isTrusted: boolean }>();

  constructor(private readonly settings: Pick<Environment, 'trustedProxies'>) {}

  /**
   * The peer's address or, behind `TRUSTED_PROXIES`, the last address in `X-Forwarded-For` that is not one of them;
   * entries before it could be forged and are ignored. `undefined` if a trusted proxy names no valid address.
   */
  of({ socket, headers }: AddressedRequest): Address {
    const { address: remoteAddress, isTrusted } = this.peerOf(socket);
    if (!isTrusted) return remoteAddress;
    const request = { headers, socket: { remoteAddress } } as IncomingMessage;
    return normalize(proxyAddr(request, (hop) => this.isTrusted(normalize(hop))));
  }

  /** Whether the peer is one of `TRUSTED_PROXIES`. */
  isProxied({ socket }: Pick<AddressedRequest, 'socket'>): boolean {
    return this.peerOf(socket).isTrusted;
  }

  /**
   * The network by which shares of common resources are counted: the address itself, or the first 64 bits of an IPv6
   * address, since one client is assigned all of them. All unknown addresses share one network.
   */
  networkOf(request: AddressedRequest): string {
    const address = this.of(request);
    const parsed = address === undefined ? undefined : parseAddress(address);
    if (parsed?.family !== 6) return address ?? 'unknown';
    return formatAddress({ family: 6, words: [...parsed.words.slice(0, 2), 0, 0] });
  }

  /** The network of an operator: the first 48 bits of an IPv6 address, or 24 of an IPv4 one. Many clients may share it. */
  widerNetworkOf(request: AddressedRequest): string {
    const address = this.of(request);
    const parsed = address === undefined ? undefined : parseAddress(address);
    if (!parsed) return 'unknown';
    const [first = 0, second = 0] = parsed.words;
    const words = parsed.family === 4 ? [first & 0xffffff00] : [first, second & 0xffff0000, 0, 0];
    return formatAddress({ family: parsed.family, words: words.map((word) => word >>> 0) });
  }

  private peerOf(socket: AddressedRequest['socket']) {
    const known = this.knownPeers.get(socket);
    if (known) return known;
    const address = normalize(socket.remoteAddress);
    const peer = { address, isTrusted: this.isTrusted(address) };
    this.knownPeers.set(socket, peer);
    return peer;
  }

  private isTrusted(address: Address): boolean {
    return address !== undefined && this.settings.trustedProxies.includes(address);
  }
}

/** The canonical form of an address in any of the forms that proxies write. */
function normalize(text: Address): Address {
  const parsed = text === undefined ? undefined : parseForwardedAddress(text.trim());
  return parsed && formatAddress(parsed);
}
