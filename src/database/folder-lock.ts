import { closeSync, openSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';

/**
 * Acquires an exclusive lock, which the kernel releases when the process ends.
 *
 * @returns a function that releases the lock, or `undefined` if another process has acquired it
 */
export function lockFile(path: string): (() => void) | undefined {
  const descriptor = openSync(path, 'a', 0o600);
  if (tryLock(descriptor)) return () => closeSync(descriptor);
  closeSync(descriptor);
  return undefined;
}
