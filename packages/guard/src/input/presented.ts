import { credentialsIn, credentialsInHeaders, type KeyPair, pairOfCredential } from '../decision/index.js';
import type { Presented } from '../types.js';

/** The prefix of each half, and its length. */
const SHAPES = {
  apiKey: { prefix: 'w3k_', length: 24 },
  secretKey: { prefix: 'w3s_', length: 44 },
} as const;

const EXPECTED = 'give { apiKey, secretKey }, { credential: "<api_key>.<secret_key>" }, { headers } or a request';

/**
 * The pair that was presented; `undefined` if it is none, or more than one.
 *
 * @throws TypeError for something else, without saying what it is: it may be a secret
 */
export function pairOf(presented: Presented): KeyPair | undefined {
  if (typeof presented !== 'object' || presented === null) throw new TypeError(EXPECTED);
  if ('apiKey' in presented) {
    if (typeof presented.apiKey !== 'string' || typeof presented.secretKey !== 'string') throw new TypeError(EXPECTED);
    return hasRightLengths(presented) ? presented : undefined;
  }
  if ('credential' in presented) {
    if (typeof presented.credential !== 'string') throw new TypeError(EXPECTED);
    return ifRightLengths(pairOfCredential(presented.credential));
  }
  if (typeof presented.headers !== 'object' || presented.headers === null) throw new TypeError(EXPECTED);
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
