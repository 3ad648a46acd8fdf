import { createHash } from 'node:crypto';
import { changeHandle } from './change-handle.js';

it('is the start of a SHA-256', () => {
  const digest = createHash('sha256').update('w3k_a').digest();
  expect(changeHandle('w3k_a')).toBe(digest.subarray(0, 12).toString('base64url'));
});
