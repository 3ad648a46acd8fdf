import type { IncomingHttpHeaders } from 'node:http';
import { credentialsIn, type KeyPair, pairOfCredential, type RequestHeaders } from './decision/index.js';
import type { Presented } from './types.js';

const API_KEY = /^w3k_[0-9A-Za-z]{20}$/;
const SECRET_KEY = /^w3s_[0-9A-Za-z]{40}$/;
const API_KEY_LENGTH = 24;
const SECRET_KEY_LENGTH = 44;

/** The pair that was presented; `undefined` if it is none, or more than one. */
export function pairOf(presented: Presented): KeyPair | undefined {
  if ('apiKey' in presented) return hasRightLengths(presented) ? presented : undefined;
  if ('credential' in presented) return ifRightLengths(pairOfCredential(presented.credential));
  const credentials = credentialsIn('rawHeaders' in presented ? presented : requestOf(presented.headers));
  return 'pair' in credentials ? ifRightLengths(credentials.pair) : undefined;
}

/** Whether a pair of the right lengths can exist. */
export function isPossible({ apiKey, secretKey }: KeyPair): boolean {
  return API_KEY.test(apiKey) && SECRET_KEY.test(secretKey);
}

/** Checked first: a known pair needs no more. */
function hasRightLengths({ apiKey, secretKey }: KeyPair): boolean {
  return apiKey.length === API_KEY_LENGTH && secretKey.length === SECRET_KEY_LENGTH;
}

function ifRightLengths(pair: KeyPair): KeyPair | undefined {
  return hasRightLengths(pair) ? pair : undefined;
}

/** A request with nothing but headers; a list is a repeated header. */
function requestOf(given: IncomingHttpHeaders): RequestHeaders {
  const headers: IncomingHttpHeaders = {};
  const headersDistinct: Record<string, string[]> = {};
  const rawHeaders: string[] = [];
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined) continue;
      const lower = name.toLowerCase();
      headers[lower] ??= one;
      (headersDistinct[lower] ??= []).push(one);
      rawHeaders.push(name, one);
    }
  }
  return { headers, headersDistinct, rawHeaders };
}
