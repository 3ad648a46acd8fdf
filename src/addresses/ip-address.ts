import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** How many bits an address has. */
export const BITS = { 4: 32, 6: 128 } as const;

/** How dual-stack sockets and proxies write IPv4 as IPv6. */
const MAPPED = '::ffff:';

/** An address as numbers: IPv4 in one word of 32 bits, IPv6 in four. */
export interface Address {
  family: 4 | 6;
  words: readonly number[];
}

/**
 * Reads an address; `undefined` if it is none. IPv4 written as IPv6 (`::ffff:a.b.c.d`) is IPv4. Refused are
 * zones (`%eth0`), and IPv4 in any form but four decimal numbers without leading zeros.
 */
export function parseAddress(text: string): Address | undefined {
  // Node's checks are strict: what passes them can be read without looking for mistakes
  if (isIPv4(text)) return { family: 4, words: [wordOf(text)] };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  if (text.startsWith(MAPPED) && isIPv4(text.slice(MAPPED.length))) return parseAddress(text.slice(MAPPED.length));
  const words = wordsOf(text);
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? { family: 4, words: words.slice(3) } : { family: 6, words };
}

/** The 32 bits of a valid IPv4 address. */
function wordOf(text: string): number {
  let word = 0;
  for (const part of text.split('.')) word = word * 256 + Number(part);
  return word;
}

/** The four words of a valid IPv6 address, whose last two groups may be written as IPv4 (RFC 4291, 2.2). */
function wordsOf(text: string): number[] {
  const words = [0, 0, 0, 0];
  const gap = text.indexOf('::');
  const head = gap === -1 ? text : text.slice(0, gap);
  putGroups(words, head, 0);
  if (gap !== -1) {
    const tail = text.slice(gap + 2);
    putGroups(words, tail, 8 - countGroups(tail));
  }
  return words;
}

/** Writes groups of 16 bits, two to a word, from the given one on. */
function putGroups(words: number[], text: string, first: number): void {
  if (text === '') return;
  let group = first;
  for (const part of text.split(':')) {
    const value = part.includes('.') ? wordOf(part) : Number.parseInt(part, 16) * (group % 2 === 0 ? 0x10000 : 1);
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

/** The short form of RFC 5952, or four decimal numbers. */
export function writeAddress({ family, words }: Address): string {
  if (family === 4) return [24, 16, 8, 0].map((bits) => ((words[0] ?? 0) >>> bits) & 255).join('.');
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const address = groups.map((group) => group.toString(16)).join(':');
  return new SocketAddress({ family: 'ipv6', address }).address;
}
