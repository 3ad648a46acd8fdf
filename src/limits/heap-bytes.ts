const HEADER = 16;
const BEYOND_LATIN1 = /[^\0-\xff]/;

/** What a string takes of V8's heap. */
export function heapBytesOf(text: string): number {
  return HEADER + Math.ceil((text.length * bytesACharacter(text)) / 8) * 8;
}

/** One, or two for all of a string's characters if any of them is beyond Latin-1. */
export function bytesACharacter(text: string): 1 | 2 {
  return BEYOND_LATIN1.test(text) ? 2 : 1;
}
