import { type BodyBounds, ORDINARY_BOUNDS } from './body-bounds.js';

/** Bounds of all bodies; those that depend on the route are in `body-bounds.ts`. */
export const MAX_NAME_LENGTH = 128;
/** The deepest valid body has four levels. */
export const MAX_DEPTH = 8;
export const MAX_ELEMENTS_PER_LIST = 1_000;
/** In all lists together. */
export const MAX_ELEMENTS = 2_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [BRACKET, BRACKET_END] = [0x5b, 0x5d];
const [BRACE, BRACE_END] = [0x7b, 0x7d];

/** The commas so far in the open list of each level; negative if the level is an object or closed. */
const commas = new Int32Array(MAX_DEPTH + 1).fill(-1);

/**
 * Counts the members of all objects in a JSON text, in a single pass that allocates nothing and stops at the first
 * exceeded bound. The text is assumed to be valid: otherwise the result is meaningless.
 *
 * @returns -1 if the text exceeds a bound, or may: the length of names is counted in bytes, including escapes
 */
export function countJsonMembers(text: Uint8Array, { members: maxMembers }: BodyBounds = ORDINARY_BOUNDS): number {
  let members = 0;
  let elements = 0;
  let depth = 0;
  let nameLength = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at] as number) {
      case QUOTE: {
        const begin = at + 1;
        at = endOfString(text, begin);
        nameLength = at - begin;
        break;
      }
      case COLON:
        if (nameLength > MAX_NAME_LENGTH || ++members > maxMembers) return -1;
        break;
      case COMMA:
        if ((commas[depth] as number) < 0) break;
        if (++(commas[depth] as number) >= MAX_ELEMENTS_PER_LIST || ++elements > MAX_ELEMENTS) return -1;
        break;
      case BRACE:
      case BRACKET:
        if (++depth > MAX_DEPTH) return -1;
        commas[depth] = text[at] === BRACE ? -1 : 0;
        // The first element of a list has no comma before it
        if (text[at] === BRACKET && ++elements > MAX_ELEMENTS) return -1;
        break;
      case BRACE_END:
      case BRACKET_END:
        if (--depth < 0) return -1;
        break;
    }
  }
  return members;
}

/** The index of the closing quote. */
function endOfString(text: Uint8Array, begin: number): number {
  let at = begin;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}
