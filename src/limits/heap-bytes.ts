const HEADER = 16;
const BEYOND_LATIN1 = /[^\0-\xff]/;

/** The size of a string on V8's heap. */
export function heapBytesOf(text: string): number {
  return HEADER + Math.ceil((text.length * bytesPerCharacter(text)) / 8) * 8;
}

/** V8 stores a string with one byte per character, or with two if any character is outside Latin-1. */
export function bytesPerCharacter(text: string): 1 | 2 {
  return BEYOND_LATIN1.test(text) ? 2 : 1;
}
