import { credentialsIn, credentialsInHeaders, type KeyPair, pairOfCredential } from '../decision/index.js';
import type { Presented } from '../types.js';

/** The prefix of each half, and its length. */
const SHAPES = {
  apiKey: { prefix: 'w3k_', length: 24 },
  secretKey: { prefix: 'w3s_', length: 44 },
} as const;

/** The pair that was presented; `undefined` if it is none, or more than one. */
export function pairOf(presented: Presented): KeyPair | undefined {
  if ('apiKey' in presented) return hasRightLengths(presented) ? presented : undefined;
  if ('credential' in presented) return ifRightLengths(pairOfCredential(presented.credential));
  const credentials = 'rawHeaders' in presented ? credentialsIn(presented) : credentialsInHeaders(presented.headers);
  return 'pair' in credentials ? ifRightLengths(credentials.pair) : undefined;
}

/** Whether a pair of the right lengths can exist. Without regular expressions, which remember what they last read. */
export function isPossible(pair: KeyPair): boolean {
  const halves = ['apiKey', 'secretKey'] as const;
  return halves.every((half) => {
    const { prefix } = SHAPES[half];
    return pair[half].startsWith(prefix) && isBase62(pair[half], prefix.length);
  });
}

function isBase62(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const isDigit = code >= 48 && code <= 57;
    const letter = code | 32;
    if (!isDigit && !(code < 128 && letter >= 97 && letter <= 122)) return false;
  }
  return true;
}

/** Checked first: a known pair needs no more. */
function hasRightLengths({ apiKey, secretKey }: KeyPair): boolean {
  return apiKey.length === SHAPES.apiKey.length && secretKey.length === SHAPES.secretKey.length;
}

function ifRightLengths(pair: KeyPair): KeyPair | undefined {
  return hasRightLengths(pair) ? pair : undefined;
}
