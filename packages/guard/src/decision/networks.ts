import { type Address, BITS, parseAddress, formatAddress } from './ip-address.js';
import { isInPacked, packNetworks, unpackNetworks } from './packed-networks.js';

/** The text is not a valid network. The message says what is expected, and follows the path of the invalid value. */
export class InvalidNetworkError extends Error {}

/** A network in CIDR notation (RFC 4632, RFC 4291). Created by `parseNetwork()`. */
export class Network {
  private readonly masks: readonly number[];

  constructor(
    readonly base: Address,
    readonly prefix: number,
  ) {
    this.masks = masksOf(base.family, prefix);
  }

  includes({ family, words }: Address): boolean {
    if (family !== this.base.family) return false;
    for (let i = 0; i < words.length; i++) {
      // Bitwise results are signed, hence the >>>
      if (((words[i] ?? 0) & (this.masks[i] ?? 0)) >>> 0 !== this.base.words[i]) return false;
    }
    return true;
  }

  /** Whether the whole of another network lies in this one. */
  contains(other: Network): boolean {
    return this.prefix <= other.prefix && this.includes(other.base);
  }

  /** The network with the bits after its prefix cleared. */
  masked(): Network {
    const words = this.base.words.map((word, i) => (word & (this.masks[i] ?? 0)) >>> 0);
    return new Network({ family: this.base.family, words }, this.prefix);
  }

  /** Always includes the prefix length; IPv6 in its short form (RFC 5952). */
  toString(): string {
    return `${formatAddress(this.base)}/${this.prefix}`;
  }
}

/**
 * Parses one network. A bare address is a network of one address (/32, /128). IPv4-mapped IPv6 is IPv4:
 * `::ffff:10.0.0.0/104` is `10.0.0.0/8`. Rejected are bits set after the prefix, zones (`%eth0`), and IPv4 in any form
 * but four decimal numbers without leading zeros.
 *
 * @throws InvalidNetworkError
 */
export function parseNetwork(text: string): Network {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  const address = parseAddress(addressText);
  const prefix = address && rest.length === 0 ? parsePrefix(prefixText, addressText, address) : undefined;
  if (!address || prefix === undefined) {
    throw new InvalidNetworkError('must be a network such as 192.0.2.0/24 or 2001:db8::/32');
  }
  const network = new Network(address, prefix);
  if (!network.includes(address)) {
    const meant = network.masked().toString();
    throw new InvalidNetworkError(`must not have bits set behind its prefix; ${meant} was probably meant`);
  }
  return network;
}

/** A list of networks, packed for fast look-ups into 5 bytes (IPv4) or 17 bytes (IPv6) each. */
export class Networks {
  /** Equal lists have equal strings; see `packNetworks()`. */
  readonly packed: string;

  constructor(networks: readonly Network[]) {
    this.packed = packNetworks(networks);
  }

  /**
   * Whether an address is in one of the networks; invalid addresses are in none. `::ffff:a.b.c.d` counts only as
   * IPv4, so `::/0` contains no IPv4 address.
   */
  includes(text: string): boolean {
    const address = parseAddress(text);
    return address !== undefined && isInPacked(this.packed, address);
  }

  /** The networks, in their original order. */
  list(): Network[] {
    return unpackNetworks(this.packed).map(({ base, prefix }) => new Network(base, prefix));
  }

  /** Whether each network of `inner` lies within a single network of `outer`; true if `inner` is empty. */
  static within(inner: Networks, outer: Networks): boolean {
    const others = outer.list();
    return inner.list().every((one) => others.some((other) => other.contains(one)));
  }
}

/** The prefix length, minus 96 for IPv4-mapped IPv6; `undefined` if it is invalid. */
function parsePrefix(text: string | undefined, addressText: string, { family }: Address): number | undefined {
  if (text === undefined) return BITS[family];
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return undefined;
  const isMapped = family === 4 && addressText.includes(':');
  const prefix = Number(text) - (isMapped ? BITS[6] - BITS[4] : 0);
  return prefix >= 0 && prefix <= BITS[family] ? prefix : undefined;
}

function masksOf(family: 4 | 6, prefix: number): number[] {
  return Array.from({ length: BITS[family] / 32 }, (_, i) => {
    const bits = Math.min(32, Math.max(0, prefix - 32 * i));
    return bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  });
}
