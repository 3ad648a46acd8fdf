import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { parseForwardedAddress } from '../addresses/forwarded-address.js';
import { parseAddress, writeAddress } from '../addresses/ip-address.js';

/** Of a request, what its client's address is read from. */
type Addressed = Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } };

type Address = string | undefined;

/** Tells where a request comes from. */
@Injectable()
export class ClientAddress {
  /** The addresses of peers in our spelling: a connection brings many requests. */
  private readonly peers = new WeakMap<Addressed['socket'], { address: Address; isTrusted: boolean }>();

  constructor(@Inject(ENVIRONMENT) private readonly environment: Environment) {}

  /**
   * The peer's address or, as far as the peers are `TRUSTED_PROXIES`, the one before them in `X-Forwarded-For`:
   * what anyone else has written there changes nothing. `undefined` where a trusted proxy names no address.
   */
  of({ socket, headers }: Addressed): Address {
    const peer = this.peerOf(socket);
    return peer.isTrusted ? this.behind(peer.address, headers['x-forwarded-for']) : peer.address;
  }

  /** Whether the peer is one of `TRUSTED_PROXIES`. */
  isProxied({ socket }: Pick<Addressed, 'socket'>): boolean {
    return this.peerOf(socket).isTrusted;
  }

  /**
   * The network that shares of what all use are counted under: the address itself, or of IPv6 the first 64 bits, which
   * is what one client is given. All whose address is not known are one.
   */
  networkOf(request: Addressed): string {
    const address = this.of(request);
    const parsed = address === undefined ? undefined : parseAddress(address);
    if (parsed?.family !== 6) return address ?? 'unknown';
    return writeAddress({ family: 6, words: [...parsed.words.slice(0, 2), 0, 0] });
  }

  private peerOf(socket: Addressed['socket']) {
    const known = this.peers.get(socket);
    if (known) return known;
    const address = canonical(socket.remoteAddress);
    const peer = { address, isTrusted: this.isTrusted(address) };
    this.peers.set(socket, peer);
    return peer;
  }

  private behind(peer: Address, forwardedFor: string | string[] = ''): Address {
    const hops = String(forwardedFor).split(',');
    let address = peer;
    while (hops.length > 0 && this.isTrusted(address)) {
      const hop = hops.pop()?.trim() ?? '';
      if (hop !== '') address = canonical(hop);
    }
    return address;
  }

  private isTrusted(address: Address): boolean {
    return address !== undefined && this.environment.trustedProxies.includes(address);
  }
}

function canonical(text: Address): Address {
  const parsed = text === undefined ? undefined : parseForwardedAddress(text);
  return parsed && writeAddress(parsed);
}
