import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** The length of an address in bits, by family. */
export const BITS = { 4: 32, 6: 128 } as const;

/** The prefix of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), as dual-stack sockets and proxies write it. */
const MAPPED_PREFIX = '::ffff:';

/** An address as 32-bit words: one for IPv4, four for IPv6. */
export interface Address {
  family: 4 | 6;
  words: readonly number[];
}

/**
 * Parses an address; returns `undefined` if it is invalid. An IPv4-mapped address (`::ffff:a.b.c.d`) is IPv4. Zones
 * (`%eth0`) are rejected, and so is IPv4 in any form but four decimal numbers without leading zeros.
 *
 * The conversion to words is our own: on the hot path, parsing IPv6 with `ipaddr.js` takes about twice as long, and it
 * reads the deprecated `::a.b.c.d` as IPv4.
 */
export function parseAddress(text: string): Address | undefined {
  // Node's checks are strict, so the parsing below can assume valid input
  if (isIPv4(text)) return { family: 4, words: [ipv4Word(text)] };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  if (text.startsWith(MAPPED_PREFIX) && isIPv4(text.slice(MAPPED_PREFIX.length)))
    return parseAddress(text.slice(MAPPED_PREFIX.length));
  const words = ipv6Words(text);
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? { family: 4, words: words.slice(3) } : { family: 6, words };
}

/** The 32 bits of a valid IPv4 address. */
function ipv4Word(text: string): number {
  let word = 0;
  for (const part of text.split('.')) word = word * 256 + Number(part);
  return word;
}

/** The four words of a valid IPv6 address; its last two groups may be written as IPv4 (RFC 4291, 2.2). */
function ipv6Words(text: string): number[] {
  const words = [0, 0, 0, 0];
  const gap = text.indexOf('::');
  const head = gap === -1 ? text : text.slice(0, gap);
  writeGroups(words, head, 0);
  if (gap !== -1) {
    const tail = text.slice(gap + 2);
    writeGroups(words, tail, 8 - countGroups(tail));
  }
  return words;
}

/** Writes 16-bit groups, two to a word, starting at group `first`. */
function writeGroups(words: number[], text: string, first: number): void {
  if (text === '') return;
  let group = first;
  for (const part of text.split(':')) {
    const value = part.includes('.') ? ipv4Word(part) : Number.parseInt(part, 16) * (group % 2 === 0 ? 0x10000 : 1);
    words[group >> 1] = (words[group >> 1] ?? 0) + value;
    group++;
  }
}

function countGroups(text: string): number {
  if (text === '') return 0;
  let groups = text.includes('.') ? 2 : 1;
  for (const character of text) if (character === ':') groups++;
  return groups;
}

/** Formats IPv6 in the short form of RFC 5952, IPv4 as four decimal numbers. */
export function formatAddress({ family, words }: Address): string {
  if (family === 4) return [24, 16, 8, 0].map((bits) => ((words[0] ?? 0) >>> bits) & 255).join('.');
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const address = groups.map((group) => group.toString(16)).join(':');
  return new SocketAddress({ family: 'ipv6', address }).address;
}
