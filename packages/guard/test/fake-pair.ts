import type { KeyPair } from '../src/decision/index.js';

/** The pair of a fake key, by its number. */
export function pairOf(number: number): KeyPair {
  const digits = String(number).padStart(20, '0');
  return { apiKey: `w3k_${digits}`, secretKey: `w3s_${digits}${digits}` };
}
