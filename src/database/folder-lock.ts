import { closeSync, openSync } from 'node:fs';
import { tryLock } from 'fs-native-extensions';

/**
 * Takes an exclusive lock that the kernel ends with the process, however it ends.
 *
 * @returns a function that releases it, or `undefined` if another process holds it
 */
export function lockFile(path: string): (() => void) | undefined {
  const descriptor = openSync(path, 'a', 0o600);
  if (tryLock(descriptor)) return () => closeSync(descriptor);
  closeSync(descriptor);
  return undefined;
}
